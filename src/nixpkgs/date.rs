//! Days of the calendar, for telling how old facts are.

/// The day of a time in seconds since 1970 (UTC), as `2026-05-03`; none outside the years that git
/// and Nix know.
pub fn day(seconds: i64) -> Option<String> {
    if !(0..=253_402_300_799).contains(&seconds) {
        return None;
    }
    let (year, month, day) = civil(seconds / 86_400);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// The day of an HTTP date (RFC 9110, section 5.6.7): `Sun, 03 May 2026 10:11:12 GMT`.
pub fn of_http(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ');
    let day: u8 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    let year: u16 = words.next()?.parse().ok()?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    number(&date).map(|_| date)
}

/// How many days lie between two such days; none where one of them is none.
pub fn days_between(earlier: &str, later: &str) -> Option<i64> {
    Some(number(later)? - number(earlier)?)
}

/// Days since 1970-01-01 to year, month and day (Howard Hinnant, "chrono-compatible low-level date
/// algorithms"): years begin in March there.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The inverse of [`civil`].
fn number(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        let day = |text| of_http(text);
        assert_eq!(
            day("Sun, 03 May 2026 10:11:12 GMT").as_deref(),
            Some("2026-05-03")
        );
        assert_eq!(day("2026-05-03"), None);
        assert_eq!(day("Sun, 99 May 2026 10:11:12 GMT"), None);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day(0).as_deref(), Some("1970-01-01"));
        assert_eq!(day(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(day(1_777_777_777).as_deref(), Some("2026-05-03"));
        assert_eq!(day(-1), None);
        assert_eq!(day(i64::MAX), None);
        assert_eq!(days_between("2026-05-03", "2026-11-24"), Some(205));
        assert_eq!(days_between("2026-11-24", "2026-05-03"), Some(-205));
        assert_eq!(days_between("", "2026-05-03"), None);
    }
}

//! Dates of `--exclude-newer` as the texts that upload times are compared with.

/// The first moment that is too late, as RFC 3339 in UTC with microseconds: uploads before it count.
///
/// A day means the whole day, in UTC: `2026-05-03` is the first moment of the 4th. A time with an
/// offset is moved to UTC.
pub fn limit(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let (year, month, day) = day(text.get(..10)?)?;
    if text.len() == 10 {
        return Some(format(
            days_from_civil(year, month, day) * 86_400 + 86_400,
            0,
        ));
    }
    let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let mut seconds = days_from_civil(year, month, day) * 86_400 + clock(rest.get(..8)?)?;
    let mut rest = rest.get(8..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let kept = fraction.get(..digits.min(6)).filter(|d| !d.is_empty())?;
        micros = format!("{kept:0<6}").parse().ok()?;
        rest = fraction.get(digits..)?;
    }
    seconds -= offset(rest)?;
    Some(format(seconds, micros))
}

fn day(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('-');
    let mut number = |length: usize| {
        let part = parts.next().filter(|p| p.len() == length)?;
        digits(part)
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then_some((year, month, day))
}

/// Seconds of `hh:mm:ss`.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (hour < 24 && minute < 60 && second <= 60 && parts.next().is_none())
        .then_some(hour * 3_600 + minute * 60 + second)
}

/// Seconds that a zone (`Z`, `+02:00`) is ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z" | "") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

fn format(seconds: i64, micros: u32) -> String {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; years start in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_the_next() {
        assert_eq!(limit("2026-05-03").unwrap(), "2026-05-04T00:00:00.000000Z");
        assert_eq!(limit("2024-02-28").unwrap(), "2024-02-29T00:00:00.000000Z");
        assert_eq!(limit("2025-12-31").unwrap(), "2026-01-01T00:00:00.000000Z");
        assert_eq!(limit("1969-12-31").unwrap(), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn times_are_moved_to_utc() {
        assert_eq!(
            limit("2026-05-03T12:00:00Z").unwrap(),
            "2026-05-03T12:00:00.000000Z"
        );
        assert_eq!(
            limit("2026-03-01T00:30:00.25+02:00").unwrap(),
            "2026-02-28T22:30:00.250000Z"
        );
    }

    #[test]
    fn every_day_comes_back() {
        for days in -1_000_000..1_000_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-29",
            "2026-05-03T25:00:00Z",
            "2026-05-03Tä",
        ] {
            assert_eq!(limit(text), None, "{text}");
        }
    }
}

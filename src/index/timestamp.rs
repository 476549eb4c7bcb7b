//! Upload times: RFC 3339 texts as indexes write them, and days as users write them, to
//! microseconds since 1970 and back. UTC only matters; offsets are converted.

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// Reads `2026-05-03T12:00:00.123456Z`, with any offset; the fraction may be missing.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let day = day(bytes.get(..10)?)?;
        if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
            return None;
        }
        let clock = bytes.get(11..19)?;
        if clock.get(2) != Some(&b':') || clock.get(5) != Some(&b':') {
            return None;
        }
        let (hours, minutes, seconds) = (
            number(clock.get(..2)?)?,
            number(clock.get(3..5)?)?,
            number(clock.get(6..8)?)?,
        );
        if hours > 23 || minutes > 59 || seconds > 60 {
            return None;
        }
        let mut rest = bytes.get(19..)?;
        let mut micros = 0;
        if let Some((b'.', after)) = rest.split_first() {
            let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
            let kept = number(after.get(..digits.min(6))?)?;
            micros = kept * 10_i64.pow(6 - digits.min(6) as u32);
            rest = after.get(digits..)?;
        }
        let offset = match rest {
            b"" | b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = number(&[*h1, *h2])? * 60 + number(&[*m1, *m2])?;
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let seconds = hours * 3600 + minutes * 60 + seconds - offset * 60;
        Some(Self(day * DAY + seconds * 1_000_000 + micros))
    }

    /// Reads a moment, or a day, which means its end: what was uploaded on that day counts.
    pub fn parse_cutoff(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == 10 {
            return Some(Self((day(text.as_bytes())? + 1) * DAY));
        }
        Self::parse(text)
    }

    /// RFC 3339 in UTC, microseconds only where there are any.
    pub fn text(self) -> String {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        // Days to a civil date, after Howard Hinnant's `civil_from_days`.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let d = doy - (153 * mp + 2) / 5 + 1;
        let m = if mp < 10 { mp + 3 } else { mp - 9 };
        let y = yoe + era * 400 + i64::from(m <= 2);
        let (micros, seconds) = (rest % 1_000_000, rest / 1_000_000);
        let clock = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        if micros == 0 {
            format!("{y:04}-{m:02}-{d:02}T{clock}Z")
        } else {
            format!("{y:04}-{m:02}-{d:02}T{clock}.{micros:06}Z")
        }
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0'))
    })
}

/// Days since 1970 of `YYYY-MM-DD`, after Howard Hinnant's `days_from_civil`.
fn day(bytes: &[u8]) -> Option<i64> {
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let (y, m, d) = (
        number(bytes.get(..4)?)?,
        number(bytes.get(5..7)?)?,
        number(bytes.get(8..10)?)?,
    );
    if !(1..=12).contains(&m) || !(1..=31).contains(&d) {
        return None;
    }
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    Some(era * 146_097 + doe - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_back() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.000001Z",
            "2026-05-03T12:00:00.123456Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().text(), text);
        }
        assert_eq!(
            Timestamp::parse("2024-01-01T02:00:00.5+02:00")
                .unwrap()
                .text(),
            "2024-01-01T00:00:00.500000Z"
        );
        assert_eq!(
            Timestamp::parse_cutoff("2024-02-28").unwrap().text(),
            "2024-02-29T00:00:00Z"
        );
    }

    #[test]
    fn nonsense_is_none() {
        for text in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2024-01-01T00:00:00x",
            "2024-01-01T99:00:00Z",
            "äääää-ää-ääT",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}

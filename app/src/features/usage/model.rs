//! How plan and usage are said. Plain Rust.

use clarity_domain::{
    plan::{Limit, Standing},
    view::usage::Meter,
};

use crate::ui::{number, pill::Tone};

/// So much of a limit, with its unit: "12 000 events", "1.1 MB", "7 seats".
pub fn amount(limit: Limit, value: u64) -> String {
    if limit == Limit::BytesPerMonth {
        let (size, unit) = number::bytes(value);
        return format!("{size} {unit}");
    }
    let unit = match (limit, value) {
        (Limit::EventsPerSecond | Limit::EventsPerMonth | Limit::BytesPerMonth, 1) => "event",
        (Limit::EventsPerSecond | Limit::EventsPerMonth | Limit::BytesPerMonth, _) => "events",
        (Limit::Assets, 1) => "machine",
        (Limit::Assets, _) => "machines",
        (Limit::Seats, 1) => "seat",
        (Limit::Seats, _) => "seats",
        (Limit::ExportsPerDay, 1) => "export",
        (Limit::ExportsPerDay, _) => "exports",
    };
    format!("{} {unit}", number::whole(value))
}

/// Of a limit: "4 of 5 seats", "12 events, without a limit", "at most 1 000 events a second".
pub fn meter_words(meter: &Meter) -> String {
    let most = |most| amount(meter.limit, most);
    match (meter.used, meter.at_most) {
        (Some(used), Some(limit)) if meter.limit == Limit::BytesPerMonth => {
            format!("{} of {}", amount(meter.limit, used), most(limit))
        }
        (Some(used), Some(limit)) => format!("{} of {}", number::whole(used), most(limit)),
        (Some(used), None) => format!("{}, without a limit", most(used)),
        (None, Some(limit)) => format!("at most {} a second", most(limit)),
        (None, None) => "without a limit".into(),
    }
}

/// In a word.
pub fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Fine => "Within the plan",
        Standing::Near => "Over 80 %",
        Standing::Reached => "Limit reached",
        Standing::Over => "Over 120 %",
    }
}

pub fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Fine => Tone::Ok,
        Standing::Near | Standing::Reached => Tone::Warn,
        Standing::Over => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: Limit, used: Option<u64>, at_most: Option<u64>) -> Meter {
        Meter { limit, used, at_most, standing: Standing::Fine, agreed: false }
    }

    #[test]
    fn a_meter_says_how_much_of_what() {
        assert_eq!(meter_words(&meter(Limit::Seats, Some(4), Some(5))), "4 of 5 seats");
        assert_eq!(meter_words(&meter(Limit::Seats, Some(1), None)), "1 seat, without a limit");
        assert_eq!(meter_words(&meter(Limit::BytesPerMonth, Some(1_100_000), Some(10_000_000_000))), "1.1 MB of 10 GB");
        // Over the limit is shown as it is.
        assert_eq!(
            meter_words(&meter(Limit::EventsPerMonth, Some(1_200), Some(1_000))),
            "1\u{2009}200 of 1\u{2009}000 events"
        );
        assert_eq!(meter_words(&meter(Limit::EventsPerSecond, None, Some(500))), "at most 500 events a second");
        assert_eq!(meter_words(&meter(Limit::EventsPerSecond, None, None)), "without a limit");
    }
}

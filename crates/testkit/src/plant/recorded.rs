//! The recorded data, part of the binary. Sources and licences: `data/*/README.md`.

use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

/// Three settings, then 21 sensors.
pub const COLUMNS: usize = 24;
pub const ENGINES: usize = 100;

const ENGINE_RUNS: &[u8] = include_bytes!("../../data/cmapss/train_FD001.txt.gz");
/// In the order of `rig_telemetry`'s columns.
const RIG_SENSORS: [&[u8]; 8] = [
    include_bytes!("../../data/hydraulics/TS1.txt.gz"),
    include_bytes!("../../data/hydraulics/TS2.txt.gz"),
    include_bytes!("../../data/hydraulics/TS3.txt.gz"),
    include_bytes!("../../data/hydraulics/TS4.txt.gz"),
    include_bytes!("../../data/hydraulics/VS1.txt.gz"),
    include_bytes!("../../data/hydraulics/SE.txt.gz"),
    include_bytes!("../../data/hydraulics/CE.txt.gz"),
    include_bytes!("../../data/hydraulics/CP.txt.gz"),
];
const RIG_PROFILE: &[u8] = include_bytes!("../../data/hydraulics/profile.txt.gz");

/// Per engine, per cycle of its life.
pub static RUNS: LazyLock<Vec<Vec<[f64; COLUMNS]>>> = LazyLock::new(|| {
    let mut runs = vec![Vec::new(); ENGINES];
    for line in unpack(ENGINE_RUNS).lines() {
        let numbers: Vec<f64> = numbers(line);
        let mut row = [0.0; COLUMNS];
        row.copy_from_slice(&numbers[2..2 + COLUMNS]);
        runs[numbers[0] as usize - 1].push(row);
    }
    runs
});

/// Per second of the recording.
pub static RIG: LazyLock<Vec<[f64; 8]>> = LazyLock::new(|| {
    let sensors = RIG_SENSORS.map(|file| numbers(&unpack(file)));
    (0..sensors[0].len()).map(|second| sensors.each_ref().map(|sensor| sensor[second])).collect()
});

/// The rig's condition in one 60-second cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// 3 near failure, 20 reduced, 100 full.
    pub cooler_percent: u16,
    /// 100 optimal, 90 small lag, 80 severe lag, 73 near failure.
    pub valve_percent: u16,
    /// 0 none, 1 weak, 2 severe.
    pub pump_leakage: u16,
    /// 130 optimal, 115, 100, 90 near failure.
    pub accumulator_bar: u16,
    /// The recording's own flag that conditions may not have settled yet.
    pub settling: bool,
}

/// Per cycle of 60 seconds.
pub static CONDITIONS: LazyLock<Vec<Condition>> = LazyLock::new(|| {
    let text = unpack(RIG_PROFILE);
    text.lines()
        .map(|line| {
            let fields: Vec<u16> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
            Condition {
                cooler_percent: fields[0],
                valve_percent: fields[1],
                pump_leakage: fields[2],
                accumulator_bar: fields[3],
                settling: fields[4] == 1,
            }
        })
        .collect()
});

fn unpack(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("the embedded recordings are whole: a test reads them all");
    text
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|field| field.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recordings_are_whole() {
        assert_eq!(RUNS.iter().map(Vec::len).sum::<usize>(), 20_631);
        assert_eq!((RUNS[0].len(), RUNS[0][0][3], RUNS[0][0][23]), (192, 518.67, 23.4190));
        assert_eq!(RIG.len(), 2_205 * 60);
        assert_eq!(RIG[0], [35.57, 40.961, 38.32, 30.363, 0.604, 68.039, 47.202, 2.184]);
        assert_eq!(CONDITIONS.len(), 2_205);
        assert!(CONDITIONS[0].settling && CONDITIONS[0].cooler_percent == 3);
    }
}

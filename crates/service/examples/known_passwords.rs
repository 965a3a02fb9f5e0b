//! Makes `crates/service/data/known_passwords.bin` of passwords on standard input, one a line:
//! `cat lists… | cargo run -p clarity-service --example known_passwords > crates/service/data/known_passwords.bin`

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use sha2::{Digest, Sha256};

/// What is shorter is refused for its length.
const LEAST: usize = 12;

fn main() -> io::Result<()> {
    let mut all = BTreeSet::new();
    for line in io::stdin().lock().split(b'\n') {
        // Some lines are in no encoding that anybody types today.
        let Ok(password) = String::from_utf8(line?) else { continue };
        let password = password.trim_end_matches('\r').to_lowercase();
        if password.chars().count() >= LEAST {
            let hash = Sha256::digest(password.as_bytes());
            all.insert(hash.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)));
        }
    }
    let (mut file, mut last) = (Vec::new(), 0);
    for number in all {
        let mut gap = number - last;
        last = number;
        while gap >= 0x80 {
            file.push((gap & 0x7f) as u8 | 0x80);
            gap >>= 7;
        }
        file.push(gap as u8);
    }
    io::stdout().write_all(&file)
}

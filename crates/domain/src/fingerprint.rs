//! Six words that stand for a public key, for a person to compare on two screens.
//!
//! One word a byte of the key's SHA-256, the first six: 48 bits. That is enough here, since the key that a code may be
//! claimed with has to be made while the code lives (15 minutes, five attempts) and before the person looks.

#[rustfmt::skip]
const WORDS: [&str; 256] = [
    "acorn", "actor", "alarm", "album", "amber", "anchor", "angle", "ankle", "apple", "apron", "arrow", "atlas",
    "autumn", "bacon", "badge", "bagel", "bakery", "banjo", "barrel", "basil", "basket", "beach", "beaver", "bench",
    "berry", "bicycle", "birch", "bishop", "blanket", "blossom", "bottle", "bowl", "branch", "bread", "brick",
    "bridge", "bronze", "brush", "bucket", "buffalo", "butter", "cabin", "cactus", "camel", "candle", "canoe",
    "canyon", "carpet", "castle", "cedar", "cello", "chalk", "cherry", "chess", "circle", "clay", "cloud", "clover",
    "cobra", "coconut", "comet", "copper", "coral", "cotton", "cradle", "crane", "crayon", "cricket", "crown",
    "crystal", "cube", "curtain", "dahlia", "daisy", "desert", "diamond", "dolphin", "donkey", "dragon", "drum",
    "eagle", "echo", "elbow", "emerald", "engine", "falcon", "feather", "fern", "ferry", "fiddle", "flag", "flute",
    "forest", "fossil", "fox", "frost", "galaxy", "garden", "garlic", "ginger", "giraffe", "glacier", "globe",
    "glove", "goblet", "gondola", "grape", "gravel", "guitar", "hammer", "harbor", "harp", "hazel", "hedge", "helmet",
    "heron", "hill", "honey", "horse", "hotel", "iceberg", "iris", "island", "ivory", "jacket", "jaguar", "jasmine",
    "jelly", "jewel", "jungle", "kayak", "kernel", "kettle", "kitten", "koala", "ladder", "lagoon", "lantern", "lava",
    "lemon", "leopard", "library", "lily", "lion", "lobster", "lotus", "magnet", "mango", "maple", "marble", "meadow",
    "melon", "mirror", "monkey", "moon", "mosaic", "motor", "muffin", "napkin", "nectar", "needle", "nest", "nickel",
    "noodle", "nutmeg", "oasis", "ocean", "olive", "onion", "opal", "orbit", "orchid", "otter", "oven", "owl",
    "oyster", "paddle", "palace", "panda", "papaya", "parrot", "peach", "pearl", "pebble", "pelican", "pencil",
    "pepper", "piano", "pillow", "pilot", "pine", "planet", "plum", "pocket", "pond", "poppy", "potato", "prism",
    "pumpkin", "puppet", "puzzle", "quartz", "quilt", "rabbit", "radar", "radio", "raven", "ribbon", "river", "robin",
    "rocket", "saddle", "sailor", "salmon", "sandal", "satin", "scarf", "shell", "silver", "sketch", "slate", "snow",
    "sofa", "spider", "spoon", "squash", "stadium", "stone", "sugar", "sunset", "swan", "table", "tango", "teapot",
    "temple", "thunder", "tiger", "timber", "tomato", "topaz", "tower", "tractor", "trumpet", "tulip", "tunnel",
    "turtle", "valley", "vanilla", "velvet", "violin", "walnut", "willow", "window", "winter", "yacht", "zebra",
];

/// The words for a key, given the SHA-256 of its 32 bytes; separated by blanks.
///
/// Agent and server both call this, so the list may never change its order.
pub fn fingerprint(key_sha256: &[u8; 32]) -> String {
    let words: Vec<&str> = key_sha256.iter().take(6).map(|&byte| WORDS[usize::from(byte)]).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn words_are_distinct_and_plain() {
        let distinct: HashSet<&str> = WORDS.into_iter().collect();
        assert_eq!(distinct.len(), 256);
        for word in WORDS {
            assert!((3..=7).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
        // Read aloud over a telephone, words that share their first four letters are mistaken for each other.
        let starts: HashSet<&str> = WORDS.into_iter().map(|w| &w[..w.len().min(4)]).collect();
        assert_eq!(starts.len(), 256);
    }

    /// Agents in the field print these: the list is a contract.
    #[test]
    fn golden() {
        let mut hash = [0; 32];
        hash[..6].copy_from_slice(&[0, 1, 2, 127, 254, 255]);
        assert_eq!(fingerprint(&hash), "acorn actor alarm jelly yacht zebra");
    }
}

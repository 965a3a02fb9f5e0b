//! The libraries of others that we are built of, as the lock files have them: where each comes from, and which of them do
//! cryptography.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::paths::Paths;

/// Lock files of the parts that npm installs.
pub const NPM_LOCKS: [&str; 2] = ["frontend/package-lock.json", "end2end/package-lock.json"];
const CRATES: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Parts of names that tell a library for cryptography.
const SIGNS: [&str; 48] = [
    "sha1",
    "sha2",
    "sha3",
    "md-5",
    "md5",
    "md4",
    "ripemd",
    "blake",
    "argon",
    "scrypt",
    "bcrypt",
    "pbkdf",
    "kdf",
    "hmac",
    "cmac",
    "aes",
    "aead",
    "chacha",
    "salsa",
    "poly1305",
    "ghash",
    "polyval",
    "ed25519",
    "curve25519",
    "x25519",
    "p256",
    "p384",
    "p521",
    "k256",
    "rsa",
    "dsa",
    "elliptic",
    "crypto",
    "cipher",
    "aws-lc",
    "ssl",
    "tls",
    "webpki",
    "x509",
    "pkcs",
    "rfc6979",
    "digest",
    "signature",
    "sodium",
    "dalek",
    "jose",
    "jwt",
    "webauthn",
];
/// The same, whose names say more or less than a part would.
const WHOLE: [&str; 10] =
    ["ring", "des", "rc4", "blowfish", "oauth2", "openidconnect", "universal-hash", "password-hash", "boring", "hkdf"];
/// Hash functions that are broken, whoever writes them.
const OLD: [&str; 7] = ["md-5", "md5", "md4", "md2", "sha1", "sha-1", "sha1_smol"];

/// A library in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// None: it is ours.
    pub source: Option<String>,
    /// As the lock file writes it: hexadecimal SHA-256 of a crate, `sha512-…` in base64 of an npm package.
    pub hash: Option<String>,
    /// Names of what it needs.
    pub needs: Vec<String>,
}

/// The packages of a `Cargo.lock`.
pub fn read_cargo(lock: &str) -> Vec<Package> {
    lock.split("[[package]]\n").skip(1).map(read_package).collect()
}

fn read_package(block: &str) -> Package {
    let of = |key: &str| {
        let found = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        found.and_then(|rest| rest.strip_suffix('"')).map(str::to_owned)
    };
    // A dependency is a name, with a version where there are more of this name.
    let needs = block.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
    Package {
        name: of("name").unwrap_or_default(),
        version: of("version").unwrap_or_default(),
        source: of("source"),
        hash: of("checksum"),
        needs: needs.map(|need| need.split(' ').next().unwrap_or(need).to_owned()).collect(),
    }
}

/// The packages of a `package-lock.json`. One that names an address of its own has it as its source.
pub fn read_npm(lock: &str) -> Result<Vec<Package>> {
    let lock: Value = serde_json::from_str(lock).context("package-lock.json")?;
    let packages = lock["packages"].as_object().context("package-lock.json has no packages")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let others = packages.iter().filter(|(path, _)| !path.is_empty());
    Ok(others
        .map(|(path, package)| Package {
            name: path.rsplit("node_modules/").next().unwrap_or(path).to_owned(),
            version: text(&package["version"]).unwrap_or_default(),
            source: Some(text(&package["resolved"]).unwrap_or_else(|| "npm".to_owned())),
            hash: text(&package["integrity"]),
            needs: Vec::new(),
        })
        .collect())
}

/// All of them: crates first, ours left out.
pub fn all(paths: &Paths) -> Result<(Vec<Package>, Vec<Package>)> {
    let read = |file: &str| fs::read_to_string(paths.join(file)).with_context(|| format!("cannot read {file}"));
    let crates = read_cargo(&read("Cargo.lock")?).into_iter().filter(|package| package.source.is_some()).collect();
    let mut npm = Vec::new();
    for file in NPM_LOCKS {
        npm.extend(read_npm(&read(file)?)?);
    }
    Ok((crates, npm))
}

/// Each comes from the registry that it is expected from, by a hash.
pub fn check(paths: &Paths) -> Result<()> {
    let (crates, npm) = all(paths)?;
    let found: Vec<String> = crates.iter().filter_map(wrong_crate).chain(npm.iter().filter_map(wrong_npm)).collect();
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

fn wrong_crate(package: &Package) -> Option<String> {
    let Package { name, version, source, hash, .. } = package;
    let known = source.as_deref() == Some(CRATES);
    let whole = hash.as_ref().is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    (!known || !whole).then(|| format!("{name} {version} does not come from crates.io by a hash: {source:?}"))
}

fn wrong_npm(package: &Package) -> Option<String> {
    let Package { name, version, source, hash, .. } = package;
    let known = source.as_deref().is_some_and(|at| at == "npm" || at.starts_with("https://registry.npmjs.org/"));
    let whole = hash.as_ref().is_some_and(|hash| hash.starts_with("sha512-"));
    let plain = version.starts_with(|c: char| c.is_ascii_digit());
    (!known || !whole || !plain).then(|| format!("{name} {version} does not come from npm by a hash: {source:?}"))
}

/// Names of the libraries that do cryptography.
pub fn cryptographic(lock: &[Package]) -> BTreeSet<String> {
    let does = |name: &str| WHOLE.contains(&name) || SIGNS.iter().any(|sign| name.contains(sign));
    let others = lock.iter().filter(|package| package.source.is_some());
    others.filter(|package| does(&package.name)).map(|package| package.name.clone()).collect()
}

/// Names of the libraries with hash functions that are broken.
pub fn old_hashes(lock: &[Package]) -> BTreeSet<String> {
    lock.iter().map(|package| package.name.clone()).filter(|name| OLD.contains(&name.as_str())).collect()
}

/// Names of those that need a library.
pub fn needing(lock: &[Package], library: &str) -> BTreeSet<String> {
    let needs = |package: &&Package| package.needs.iter().any(|need| need == library);
    lock.iter().filter(needs).map(|package| package.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"clarity-app\"\nversion = \"0.1.0\"\ndependencies = [\n \"sha2 0.11.0\",\n\
                        ]\n\n[[package]]\nname = \"sha2\"\nversion = \"0.11.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                        checksum = \"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff\"\n";

    #[test]
    fn all_libraries_come_from_where_they_should_by_a_hash() {
        let paths = Paths::find().unwrap();
        let (crates, npm) = all(&paths).unwrap();
        assert!(crates.len() > 500 && npm.len() > 50, "{} and {}", crates.len(), npm.len());
        check(&paths).unwrap();
    }

    #[test]
    fn the_page_says_how_fast_a_weak_library_is_mended() {
        let page = fs::read_to_string(Paths::find().unwrap().join("docs/security/operations.md")).unwrap();
        let section = page.split_once("\n## Libraries\n").expect("a section of its own").1;
        for promise in ["within 7 days", "any other within 30", "a new minor version", "RustSec and npm"] {
            assert!(section.contains(promise), "{promise}");
        }
    }

    #[test]
    fn a_library_from_elsewhere_is_found() {
        let lock = read_cargo(LOCK);
        assert_eq!(
            (lock.len(), lock[0].source.as_deref(), lock[0].needs.as_slice()),
            (2, None, ["sha2".to_owned()].as_slice())
        );
        assert_eq!(wrong_crate(&lock[1]), None);
        let git = Package { source: Some("git+https://github.com/a/b".into()), ..lock[1].clone() };
        let unhashed = Package { hash: None, ..lock[1].clone() };
        assert!(wrong_crate(&git).is_some() && wrong_crate(&unhashed).is_some());
        let of = |more: &str| {
            let text = format!("{{\"packages\":{{\"\":{{}},\"node_modules/a/node_modules/@b/c\":{{{more}}}}}}}");
            read_npm(&text).unwrap().remove(0)
        };
        let good = of("\"version\":\"1.2.3\",\"integrity\":\"sha512-AA==\"");
        assert_eq!((good.name.as_str(), wrong_npm(&good)), ("@b/c", None));
        for more in [
            "\"version\":\"1.2.3\"",
            "\"version\":\"1.2.3\",\"integrity\":\"sha1-AA==\"",
            "\"version\":\"1.2.3\",\"integrity\":\"sha512-AA==\",\"resolved\":\"https://evil.example/c.tgz\"",
            "\"version\":\"git+ssh://git@github.com/b/c\",\"integrity\":\"sha512-AA==\"",
        ] {
            assert!(wrong_npm(&of(more)).is_some(), "{more}");
        }
    }

    #[test]
    fn a_library_for_cryptography_is_known_by_its_name() {
        assert_eq!(cryptographic(&read_cargo(LOCK)), BTreeSet::from(["sha2".to_owned()]));
        assert_eq!(needing(&read_cargo(LOCK), "sha2"), BTreeSet::from(["clarity-app".to_owned()]));
    }
}

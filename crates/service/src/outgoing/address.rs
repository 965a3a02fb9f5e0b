//! What an address says before anything is sent: how it is written, and whether an IP address is public.
//!
//! `url` reads hosts as browsers do: 0x7f.1, 2130706433, 127.1 and full-width digits all become 127.0.0.1 here, before they
//! are looked at. Of IPv6 only what is handed out as global unicast counts, less the ranges in it that hold another address
//! or are for no host: what nobody has thought of is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

use super::OutgoingError;

/// Where anybody may be sent to.
const PORTS: [u16; 2] = [443, 8443];
/// As browsers bound it, about.
const LONGEST: usize = 2048;

/// An address as it is used from here on; nobody reads its text again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub url: Url,
    pub host: Host,
    pub port: u16,
    pub secure: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// In ASCII.
    Name(String),
    /// It asks no name server.
    Address(IpAddr),
}

impl Target {
    /// The host as a person is told of it.
    pub(super) fn shown(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(ip) => ip.to_string(),
        }
    }
}

/// Reads an address. Scheme and port are looked at once it is known where it leads.
pub(super) fn read(text: &str) -> Result<Target, OutgoingError> {
    if text.len() > LONGEST {
        return Err(OutgoingError::NoAddress);
    }
    let mut url = Url::parse(text).map_err(|_| OutgoingError::NoAddress)?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(OutgoingError::NotHttps),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutgoingError::UserInfo);
    }
    let host = match url.host() {
        Some(url::Host::Domain(name)) if !name.trim_matches('.').is_empty() => Host::Name(name.to_owned()),
        Some(url::Host::Ipv4(ip)) => Host::Address(ip.into()),
        Some(url::Host::Ipv6(ip)) => Host::Address(ip.into()),
        _ => return Err(OutgoingError::NoAddress),
    };
    let port = url.port_or_known_default().ok_or(OutgoingError::NoAddress)?;
    url.set_fragment(None);
    Ok(Target { url, host, port, secure })
}

/// Whether a target at `ip` is one that anybody may send to.
pub(super) fn may_be_reached(target: &Target, ip: IpAddr) -> Result<(), OutgoingError> {
    if let Some(place) = not_public(ip) {
        return Err(OutgoingError::NotPublic { host: target.shown(), place, address: ip });
    }
    if !target.secure {
        return Err(OutgoingError::NotHttps);
    }
    if !PORTS.contains(&target.port) {
        return Err(OutgoingError::Port(target.port));
    }
    Ok(())
}

const PRIVATE: &str = "a private network";
const MACHINE: &str = "the server itself";
const LINK: &str = "the server's own link";
const RESERVED: &str = "a range that is reserved";
const DOCUMENTS: &str = "a range for documentation";
const GROUP: &str = "a group of hosts";
const HIDDEN: &str = "a range that stands for other addresses";
const CLOUD: &str = "a cloud's own services";

/// First address, length of its prefix, what it is.
const NOT_PUBLIC_4: [([u8; 4], u32, &str); 16] = [
    ([0, 0, 0, 0], 8, MACHINE),
    ([10, 0, 0, 0], 8, PRIVATE),
    // Here the metadata of Alibaba is.
    ([100, 64, 0, 0], 10, "a provider's shared network"),
    ([127, 0, 0, 0], 8, MACHINE),
    // Here the metadata of most clouds is.
    ([169, 254, 0, 0], 16, LINK),
    ([172, 16, 0, 0], 12, PRIVATE),
    ([192, 0, 0, 0], 24, RESERVED),
    ([192, 0, 2, 0], 24, DOCUMENTS),
    ([192, 88, 99, 0], 24, HIDDEN),
    ([192, 168, 0, 0], 16, PRIVATE),
    ([198, 18, 0, 0], 15, "a range for measurements"),
    ([198, 51, 100, 0], 24, DOCUMENTS),
    ([203, 0, 113, 0], 24, DOCUMENTS),
    ([224, 0, 0, 0], 4, GROUP),
    ([240, 0, 0, 0], 4, RESERVED),
    // Public by its range, and answered inside of Azure alone.
    ([168, 63, 129, 16], 32, CLOUD),
];

/// Inside of 2000::/3, which alone is handed out.
const NOT_PUBLIC_6: [([u16; 2], u32, &str); 4] = [
    // Protocols' own: Teredo, benchmarking, ORCHID.
    ([0x2001, 0], 23, HIDDEN),
    ([0x2001, 0x0db8], 32, DOCUMENTS),
    // 6to4
    ([0x2002, 0], 16, HIDDEN),
    ([0x3fff, 0], 20, DOCUMENTS),
];

/// Where an address leads that is not public; none for one that is.
pub(super) fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => not_public_4(ip),
        IpAddr::V6(ip) => not_public_6(ip),
    }
}

fn not_public_4(ip: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(ip);
    let holds = |first: [u8; 4], length: u32| (bits ^ u32::from_be_bytes(first)) >> (32 - length) == 0;
    NOT_PUBLIC_4.iter().find(|(first, length, _)| holds(*first, *length)).map(|(_, _, place)| *place)
}

fn not_public_6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = ip.to_ipv4_mapped() {
        // One that is public is refused too: it is written so for no honest reason.
        return Some(not_public_4(inner).unwrap_or(HIDDEN));
    }
    let [first, second, ..] = ip.segments();
    if first & 0xe000 != 0x2000 {
        return Some(match first {
            0 if ip.is_loopback() || ip.is_unspecified() => MACHINE,
            // IPv4-compatible, and NAT64.
            0 | 0x0064 => HIDDEN,
            0xfc00..=0xfdff | 0xfec0..=0xfeff => PRIVATE,
            0xfe80..=0xfebf => LINK,
            0xff00..=0xffff => GROUP,
            _ => RESERVED,
        });
    }
    let bits = (u32::from(first) << 16) | u32::from(second);
    let holds = |[a, b]: [u16; 2], length: u32| {
        let range = (u32::from(a) << 16) | u32::from(b);
        (bits ^ range) >> (32 - length) == 0
    };
    NOT_PUBLIC_6.iter().find(|(first, length, _)| holds(*first, *length)).map(|(_, _, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_browsers_read_it() {
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://0x7F000001/",
            "https://127.0.0.1./",
            "https://１２７.０.０.１/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "HTTPS:\\\\127.0.0.1\\",
            "https:127.0.0.1",
            " https://127.0.0.1/ ",
            "ht\ntps://127.0.\t0.1/",
        ] {
            let target = read(text).unwrap();
            assert_eq!(target.host, Host::Address(Ipv4Addr::LOCALHOST.into()), "{text}");
            let refused = may_be_reached(&target, Ipv4Addr::LOCALHOST.into()).unwrap_err();
            assert!(matches!(refused, OutgoingError::NotPublic { place: MACHINE, .. }), "{text}");
        }
        let target = read("https://Auth.Example.COM:8443/a?b#c").unwrap();
        assert_eq!((target.shown().as_str(), target.port, target.secure), ("auth.example.com", 8443, true));
        assert_eq!(target.url.as_str(), "https://auth.example.com:8443/a?b");
        assert_eq!(read("https://bücher.example").unwrap().shown(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        for text in ["", "auth.example.com", "https://", "https:///", "https://./", "https://[::1", "https://a b/"] {
            assert_eq!(read(text).unwrap_err(), OutgoingError::NoAddress, "{text}");
        }
        assert_eq!(read(&format!("https://a.example/{}", "x".repeat(2048))).unwrap_err(), OutgoingError::NoAddress);
        for text in ["ftp://a.example", "file:///etc/passwd", "gopher://a.example:70/_x", "ws://a.example", "data:,x"] {
            assert_eq!(read(text).unwrap_err(), OutgoingError::NotHttps, "{text}");
        }
        for text in
            ["https://a@b.example", "https://:p@b.example", "https://good.example%2f@10.0.0.1/", "https://a:b@c"]
        {
            assert_eq!(read(text).unwrap_err(), OutgoingError::UserInfo, "{text}");
        }
    }

    #[test]
    fn public_is_https_on_a_port_of_the_web() {
        let public: IpAddr = "93.184.216.34".parse().unwrap();
        let to = |text: &str| may_be_reached(&read(text).unwrap(), public);
        assert!(to("https://a.example").is_ok() && to("https://a.example:8443/x").is_ok());
        assert_eq!(to("http://a.example"), Err(OutgoingError::NotHttps));
        assert_eq!(to("http://a.example:443"), Err(OutgoingError::NotHttps));
        for port in [1, 22, 25, 80, 444, 5432, 6379, 8080, 65535] {
            assert_eq!(to(&format!("https://a.example:{port}")), Err(OutgoingError::Port(port)));
        }
    }

    #[test]
    fn ranges_end_where_they_end() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(not_public(public.parse().unwrap()), None, "{public}");
        }
        for (inside, place) in [
            ("0.0.0.0", MACHINE),
            ("169.254.169.254", LINK),
            ("168.63.129.16", CLOUD),
            ("255.255.255.255", RESERVED),
            ("::", MACHINE),
            ("::1", MACHINE),
            ("::ffff:8.8.8.8", HIDDEN),
            ("::ffff:10.0.0.5", PRIVATE),
            ("::8.8.8.8", HIDDEN),
            ("64:ff9b::808:808", HIDDEN),
            ("64:ff9b:1::1", HIDDEN),
            ("100::1", RESERVED),
            ("2001::1", HIDDEN),
            ("2001:1ff::1", HIDDEN),
            ("2001:db8::1", DOCUMENTS),
            ("2002:808:808::1", HIDDEN),
            ("3fff:fff::1", DOCUMENTS),
            ("4000::1", RESERVED),
            ("5f00::1", RESERVED),
            ("fc00::1", PRIVATE),
            ("fd00:ec2::254", PRIVATE),
            ("fe80::1", LINK),
            ("fec0::1", PRIVATE),
            ("ff02::1", GROUP),
        ] {
            assert_eq!(not_public(inside.parse().unwrap()), Some(place), "{inside}");
        }
    }
}

//! Runs the web server until it is told to stop.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::middleware::from_fn_with_state;
use clarity_app::context::Site;
use clarity_runtime::database::{self, DbLogin, DbRole};
use clarity_runtime::shutdown;
use clarity_service::{Limits, MailSettings, OutgoingSettings, SecretsKey, Services, Settings};
use clarity_store::{AppStore, AuthStore, OpsStore};
use tokio::net::TcpListener;

use crate::assets;
use crate::cli::{OpsDoors, ServeOptions};
use crate::middleware;
use crate::router::router;
use crate::state::AppState;

/// How long requests in hand may take once the process is to end.
const GRACE: Duration = Duration::from_secs(8);
/// Our own people are few.
const OPS_CONNECTIONS: u32 = 2;

pub async fn run(options: ServeOptions) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let origin = options.public_url.trim_end_matches('/').to_owned();
    let secure = is_secure(&origin)?;
    may_run(secure, cfg!(debug_assertions))?;
    let proxied = may_listen(&options, secure)?;
    database::warn_of_needless(own_roles(options.ops));
    let mail = mail_settings(&options, secure)?;
    let secrets = secrets_key(&options, secure)?;
    let site = Site { origin: origin.clone(), secure, assets: assets::read_names(&options.site)? };
    let auth = AuthStore::from_env((options.db_connections / 2).max(4)).await?;
    let app = AppStore::from_env(options.db_connections.max(4)).await?;
    let outgoing =
        OutgoingSettings { allow: options.outgoing_allow, hosts: options.outgoing_hosts, resolver: options.dns };
    let limits = Limits {
        deletion_grace: Duration::from_secs(options.deletion_grace_s),
        default_plan: options.default_plan,
        ..Limits::default()
    };
    let settings = Settings { public_url: origin, agent_url: options.agent_url, mail, secrets, outgoing, limits };
    let mut services = Services::new(auth, app, settings)?;
    if options.ops == OpsDoors::On {
        services = services.with_ops(OpsStore::from_env(OPS_CONNECTIONS).await?);
        tracing::info!("our own people have doors at /ops");
    }
    let letters = services.clone();
    let certificates = services.clone();
    let anchors = services.clone();
    let clocks = services.clone();
    let state = AppState::new(services, site, options.site, shutdown.clone()).behind(options.trusted_proxies);

    let listener =
        TcpListener::bind(options.listen).await.with_context(|| format!("cannot listen on {}", options.listen))?;
    tracing::info!(address = %listener.local_addr()?, public_url = %state.site.origin, "serving");
    let mut pages = router(state.clone());
    if proxied {
        pages = pages.layer(from_fn_with_state(state, middleware::proxied::layer));
    }
    let service = pages.into_make_service_with_connect_info::<SocketAddr>();
    let delivery = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { letters.deliver_mail(shutdown).await }
    });
    let telling = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { certificates.tell_of_deletions(shutdown).await }
    });
    let noting = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { anchors.note_anchors(shutdown).await }
    });
    let watching = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { clocks.watch_clock(shutdown).await }
    });
    let ending = shutdown.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move { ending.cancelled().await });
    tokio::select! {
        ended = server.into_future() => ended.context("the web server failed")?,
        () = async { shutdown.cancelled().await; tokio::time::sleep(GRACE).await } => {
            tracing::warn!("some requests did not end in time");
        }
    }
    shutdown.cancel();
    delivery.await.context("letters were not all sent")?;
    telling.await.context("certificates were not all posted")?;
    noting.await.context("the audit logs' anchors were not all noted")?;
    watching.await.context("the clocks were not compared to the end")?;
    tracing::info!("stopped");
    Ok(())
}

/// As whom this process enters the database.
const fn own_roles(ops: OpsDoors) -> &'static [DbRole] {
    match ops {
        OpsDoors::On => &[DbRole::Auth, DbRole::App, DbRole::Ops],
        OpsDoors::Off => &[DbRole::Auth, DbRole::App],
    }
}

/// A build for developing says more than it should when something fails, and is slow: it is for this machine.
fn may_run(secure: bool, debug: bool) -> anyhow::Result<()> {
    if secure && debug {
        bail!("this is a build for developing: a server on https needs a release (cargo xtask build --release)");
    }
    Ok(())
}

/// Whether requests come from proxies in front alone: we end no TLS, so an address that others reach is for them.
fn may_listen(options: &ServeOptions, secure: bool) -> anyhow::Result<bool> {
    let beyond = !options.listen.ip().is_loopback();
    if beyond && options.trusted_proxies.is_empty() {
        bail!(
            "--listen {} is reached by other machines, and this server speaks plain http: put a proxy that ends TLS in front \
             and name its address with --trusted-proxies, or listen on 127.0.0.1",
            options.listen
        );
    }
    if secure && options.trusted_proxies.is_empty() {
        bail!(
            "a server on https stands behind a proxy that ends TLS: name its address with --trusted-proxies (127.0.0.1 for one \
             on this machine), or everybody who comes through it would be one and the same to the limits and the audit log"
        );
    }
    Ok(beyond)
}

/// Where letters go. A server that people reach over a network has to send them: they are how an address is proven.
fn mail_settings(options: &ServeOptions, secure: bool) -> anyhow::Result<MailSettings> {
    let from = options.mail_from.as_str();
    let Some(url) = options.smtp_url.as_ref().filter(|url| !url.expose().is_empty()) else {
        if secure {
            bail!(
                "a server on https sends letters (confirmations, invitations, new passwords): set CLARITY_SMTP_URL, such \
                 as smtps://user:password@mail.example.com, and CLARITY_MAIL_FROM"
            );
        }
        tracing::info!("there is no mail server: letters are kept, see /dev/mail");
        return MailSettings::outbox(from).context("CLARITY_MAIL_FROM");
    };
    let mail = MailSettings::smtp(url, from)?;
    if secure && mail.sender_domain() == "localhost" {
        bail!("letters need a sender: set CLARITY_MAIL_FROM, such as Clarity Stream <no-reply@example.com>");
    }
    Ok(mail)
}

/// What seals secrets. On this machine alone it can follow from a password that the installation keeps anyhow.
fn secrets_key(options: &ServeOptions, secure: bool) -> anyhow::Result<SecretsKey> {
    if let Some(key) = options.secrets_key.as_ref().filter(|key| !key.expose().is_empty()) {
        return SecretsKey::from_base64(key).context("CLARITY_SECRETS_KEY");
    }
    if secure {
        bail!(
            "a server on https seals secrets with a key of its own: set CLARITY_SECRETS_KEY to 32 bytes in base64, as \
             `openssl rand -base64 32` makes them, and keep it"
        );
    }
    Ok(SecretsKey::from_password(&DbLogin::from_env(DbRole::Auth)?.password))
}

/// Whether cookies can be `Secure`. Plain http is for this machine alone: elsewhere a session could be read on the way.
fn is_secure(origin: &str) -> anyhow::Result<bool> {
    if origin.starts_with("https://") {
        return Ok(true);
    }
    let Some(place) = origin.strip_prefix("http://") else {
        bail!("--public-url has to be an https:// address (or http://localhost)");
    };
    let host = match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => place,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !loopback {
        bail!("--public-url {origin} is plain http: sessions could be read on the way. Use https, or localhost");
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{is_secure, mail_settings, may_listen, may_run, secrets_key};
    use crate::cli::{Command, Options, ServeOptions};
    use clap::Parser;
    use clarity_service::MailSettings;

    fn options(args: &[&str]) -> ServeOptions {
        let all = ["clarity-server", "serve"].iter().chain(args);
        match Options::try_parse_from(all).unwrap().command {
            Command::Serve(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        assert!(is_secure("https://app.example").unwrap());
        for fine in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:80"] {
            assert!(!is_secure(fine).unwrap(), "{fine}");
        }
        for wrong in ["http://app.example", "http://localhost.evil", "ftp://x", "http://10.0.0.1:80"] {
            assert!(is_secure(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_build_for_developing_serves_this_machine_alone() {
        assert!(may_run(true, false).is_ok() && may_run(false, true).is_ok());
        assert!(may_run(true, true).unwrap_err().to_string().contains("release"));
    }

    #[test]
    fn an_address_that_others_reach_is_for_proxies_that_are_named() {
        assert!(!may_listen(&options(&[]), false).unwrap());
        assert!(!may_listen(&options(&["--listen", "[::1]:8080"]), false).unwrap());
        for open in ["0.0.0.0:8080", "[::]:8080", "10.1.2.3:80"] {
            let words = may_listen(&options(&["--listen", open]), false).unwrap_err().to_string();
            assert!(words.contains("--trusted-proxies") && words.contains(open), "{words}");
            assert!(
                may_listen(&options(&["--listen", open, "--trusted-proxies", "10.0.0.1"]), true).unwrap(),
                "{open}"
            );
        }
        let words = may_listen(&options(&[]), true).unwrap_err().to_string();
        assert!(words.contains("127.0.0.1 for one on this machine"), "{words}");
        assert!(!may_listen(&options(&["--trusted-proxies", "127.0.0.1"]), true).unwrap());
    }

    #[test]
    fn hosts_of_ones_own_network_are_allowed_by_exact_address_and_port() {
        let given = options(&["--outgoing-allow", "10.1.2.3:8443,[fd00::1]:443", "--dns", "9.9.9.9:53"]);
        let shown: Vec<String> = given.outgoing_allow.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.1.2.3:8443", "[fd00::1]:443"]);
        assert_eq!(given.dns.map(|at| at.to_string()).as_deref(), Some("9.9.9.9:53"));
        for wrong in ["10.1.2.3", "10.0.0.0/8", "idp.internal:443", "*:443"] {
            let args = ["clarity-server", "serve", "--outgoing-allow", wrong];
            assert!(Options::try_parse_from(args).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_sealed_with_a_key_that_was_given_wherever_people_come_over_a_network() {
        let key = ["--secrets-key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="];
        let given = options(&key);
        assert!(!format!("{given:?}").contains("AQEB"));
        assert!(secrets_key(&given, true).is_ok() && secrets_key(&given, false).is_ok());
        let none = secrets_key(&options(&["--secrets-key", ""]), true).unwrap_err().to_string();
        assert!(none.contains("CLARITY_SECRETS_KEY") && none.contains("openssl rand -base64 32"), "{none}");
        for wrong in ["AQEB", "no key at all"] {
            let error = secrets_key(&options(&["--secrets-key", wrong]), false).unwrap_err();
            assert!(format!("{error:#}").starts_with("CLARITY_SECRETS_KEY: it has to be 32 bytes"), "{error:#}");
        }
    }

    #[test]
    fn letters_are_sent_wherever_people_come_over_a_network() {
        let from = ["--mail-from", "Clarity Stream <no-reply@clarity.example>"];
        let smtp = ["--smtp-url", "smtps://user:hunter2@mail.example"];
        let all = options(&[smtp, from].concat());
        assert!(!format!("{all:?}").contains("hunter2"));
        assert!(matches!(mail_settings(&all, true), Ok(MailSettings::Smtp { .. })));
        assert!(matches!(mail_settings(&all, false), Ok(MailSettings::Smtp { .. })));
        let nobody = options(&from);
        let words = mail_settings(&nobody, true).unwrap_err().to_string();
        assert!(words.contains("CLARITY_SMTP_URL"), "{words}");
        assert!(matches!(mail_settings(&nobody, false), Ok(MailSettings::Outbox { .. })));
        let nameless = mail_settings(&options(&smtp), true).unwrap_err().to_string();
        assert!(nameless.contains("CLARITY_MAIL_FROM"), "{nameless}");
    }
}

//! Every URL of the app, typed. The workspace is always in the path.

use clarity_domain::{
    ids::{ApiTokenId, AssetId, MailId, PairingId, SourceId},
    view::{
        Micros,
        audit::{AuditFilter, AuditQuery},
        overview::OverviewQuery,
        set_up::SetUpStep,
        sites::SitesQuery,
        support::OpsEventQuery,
    },
};

pub const HOME: &str = "/";
pub const SIGN_IN: &str = "/sign-in";
/// After the password, for those who have a second factor.
const SIGN_IN_CODE: &str = "/sign-in/code";
const SECOND_FACTOR: &str = "/second-factor";
const CONFIRM_IT: &str = "/confirm-it";
pub const SIGN_UP: &str = "/sign-up";
/// After a sign-up was asked for.
pub const SIGN_UP_SENT: &str = "/sign-up?sent=1";
pub const RESET: &str = "/reset";
/// After a new password was asked for.
pub const RESET_SENT: &str = "/reset?sent=1";
/// After a change of address was stopped.
pub const RESET_AFTER_STOP: &str = "/reset?stopped=1";
/// After a new password was chosen.
pub const SIGN_IN_ANEW: &str = "/sign-in?changed=1";
pub const NEW_WORKSPACE: &str = "/new-workspace";
/// The letters of a server that sends none.
pub const OUTBOX: &str = "/dev/mail";

/// The platform's own people: no page of a workspace leads here.
pub const OPS: &str = "/ops";
pub const OPS_SIGN_IN: &str = "/ops/sign-in";
/// After an account was made.
pub const OPS_SIGN_IN_ANEW: &str = "/ops/sign-in?enrolled=1";
/// What they did at their own doors.
pub const OPS_EVENTS: &str = "/ops/events";

/// A workspace as the platform's own people see it.
pub fn ops_workspace(slug: &str) -> String {
    format!("{OPS}/workspaces/{slug}")
}

/// A page of what they did.
pub fn ops_events(query: &OpsEventQuery) -> String {
    let mut parts: Vec<String> =
        query.filter.pairs().into_iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let place = [("before", query.before), ("after", query.after)];
    parts.extend(place.into_iter().filter_map(|(name, id)| Some(format!("{name}={}", id?))));
    with_query(OPS_EVENTS.into(), &parts)
}

/// Access of the platform's own support to a workspace.
pub fn support(slug: &str) -> String {
    format!("/w/{slug}/support")
}

/// Sign in, and come back to `path`. The platform's own people have a sign-in of their own, which leads to their first page.
pub fn sign_in_then(path: &str) -> String {
    if path == OPS || path.starts_with("/ops/") {
        return OPS_SIGN_IN.into();
    }
    format!("{SIGN_IN}?next={}", escape(path))
}

/// A path on our own origin that a sign-in may go to; anything else is refused.
pub fn local(path: &str) -> Option<&str> {
    let fine = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\r', '\n', '\t'])
        && !path.starts_with(SIGN_IN)
        // Somebody who follows a link signs in to where they choose, and not to where the link says.
        && !path.starts_with("/sso/")
        && !has_dots(path);
    fine.then_some(path)
}

/// Whether a browser would make another path of it: a part of it is `.` or `..`.
fn has_dots(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// The code after the password, then `next`.
pub fn sign_in_code(next: Option<&str>) -> String {
    with_query(SIGN_IN_CODE.into(), &then(next))
}

/// As [`sign_in_code`], with a recovery code.
pub fn sign_in_by_recovery(next: Option<&str>) -> String {
    let mut parts = vec!["recovery=1".to_owned()];
    parts.extend(then(next));
    with_query(SIGN_IN_CODE.into(), &parts)
}

/// A person's second factor, then `next`.
pub fn second_factor(next: Option<&str>) -> String {
    with_query(SECOND_FACTOR.into(), &then(next))
}

/// Show again that it is you, and come back to `path`.
pub fn confirm_then(path: &str) -> String {
    with_query(CONFIRM_IT.into(), &then(Some(path)))
}

/// Only where a sign-in may go.
fn then(next: Option<&str>) -> Vec<String> {
    next.and_then(local).map(|next| format!("next={}", escape(next))).into_iter().collect()
}

/// The page at `path` with its query, without what a refused form left in it.
pub fn here(path: &str, search: &str) -> String {
    let pairs = search.trim_start_matches('?').split('&');
    let own: Vec<String> =
        pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("__")).map(str::to_owned).collect();
    with_query(path.to_owned(), &own)
}

/// One of the letters in [`OUTBOX`].
pub fn letter(id: MailId) -> String {
    format!("{OUTBOX}?mail={id}")
}

/// Overview as it opens.
pub fn workspace(slug: &str) -> String {
    format!("/w/{slug}")
}

/// Overview with everything the page can be asked for.
pub fn overview(slug: &str, query: &OverviewQuery) -> String {
    let text = overview_query(query);
    if text.is_empty() { workspace(slug) } else { format!("/w/{slug}?{text}") }
}

/// Overview of one asset.
pub fn asset(slug: &str, id: AssetId) -> String {
    overview(slug, &OverviewQuery { asset: Some(id), ..OverviewQuery::default() })
}

pub fn sources(slug: &str) -> String {
    format!("/w/{slug}/sources")
}

pub fn source(slug: &str, id: SourceId) -> String {
    format!("/w/{slug}/sources/{id}")
}

pub fn connect(slug: &str) -> String {
    format!("/w/{slug}/sources/connect")
}

pub fn pairing(slug: &str, id: PairingId) -> String {
    format!("/w/{slug}/sources/connect?pairing={id}")
}

pub fn dead_letters(slug: &str) -> String {
    format!("/w/{slug}/dead-letters")
}

/// The page of an invitation's link.
pub fn invitation(token: &str) -> String {
    format!("/invite/{}", escape(token))
}

/// For those who manage sources.
pub fn sites(slug: &str) -> String {
    format!("/w/{slug}/sites")
}

/// The sites with everything the page can be asked for.
pub fn sites_page(slug: &str, query: &SitesQuery) -> String {
    let mut parts: Vec<String> = query.find.iter().map(|find| format!("find={}", escape(find))).collect();
    let place = [("before", query.before), ("after", query.after)];
    parts.extend(place.into_iter().filter_map(|(name, place)| Some(format!("{name}={}", place?))));
    with_query(sites(slug), &parts)
}

pub fn members(slug: &str) -> String {
    format!("/w/{slug}/members")
}

/// The members, with the news that a letter went to this address.
pub fn members_invited(slug: &str, email: &str) -> String {
    format!("/w/{slug}/members?invited={}", escape(email))
}

/// The members, with the news that a letter with a new link went to this address.
pub fn members_resent(slug: &str, email: &str) -> String {
    format!("/w/{slug}/members?resent={}", escape(email))
}

/// How long what is kept; the preview of a change is asked for by the form's own query.
pub fn retention(slug: &str) -> String {
    format!("/w/{slug}/retention")
}

/// Where the end of a workspace is asked for, and taken back.
pub fn deletion(slug: &str) -> String {
    format!("/w/{slug}/delete")
}

/// All that a workspace has, as a file.
pub fn export_file(slug: &str) -> String {
    format!("/w/{slug}/export.ndjson")
}

/// Plan, and what is used of it.
pub fn usage(slug: &str) -> String {
    format!("/w/{slug}/usage")
}

/// Name, address, place and sites of a workspace.
pub fn settings(slug: &str) -> String {
    format!("/w/{slug}/settings")
}

/// What is masked, where and for whom.
pub fn masking(slug: &str) -> String {
    format!("/w/{slug}/masking")
}

/// The set-up of a workspace, at the first step that is open.
pub fn set_up(slug: &str) -> String {
    format!("/w/{slug}/welcome")
}

/// The same, at this step.
pub fn set_up_step(slug: &str, step: SetUpStep) -> String {
    format!("/w/{slug}/welcome?step={}", step.as_str())
}

/// The API tokens of a workspace.
pub fn tokens(slug: &str) -> String {
    format!("/w/{slug}/tokens")
}

/// The same, with a token that was just made.
pub fn token_made(slug: &str, id: ApiTokenId) -> String {
    format!("/w/{slug}/tokens?new={id}")
}

/// Where a workspace's single sign-on begins, by its address.
pub const SSO: &str = "/sso";
/// Where somebody shows that an account is theirs, after single sign-on.
pub const SSO_LINK: &str = "/sso/link";

/// Takes the address of a workspace and leads on to its identity provider.
pub const SSO_START: &str = "/sso/start";

/// To a workspace's identity provider, and then to `next`. `again`: to sign in there anew.
pub fn sso_start(slug: &str, next: Option<&str>, again: bool) -> String {
    let mut parts = then(next);
    parts.extend(again.then(|| "again=1".to_owned()));
    with_query(format!("{SSO_START}/{}", escape(slug)), &parts)
}

/// To the provider and back, to look whether it works; nobody is signed in.
pub fn sso_test(slug: &str) -> String {
    format!("{SSO_START}/{}?test=1", escape(slug))
}

/// Single sign-on of a workspace, for its owners; its domains stand there too.
pub fn sso(slug: &str) -> String {
    format!("/w/{slug}/sso")
}

/// The workspace of a path in it.
pub fn slug_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/w/")?;
    rest.split('/').next().filter(|slug| !slug.is_empty())
}

/// Where the person is signed in.
pub fn sessions(slug: &str) -> String {
    format!("/w/{slug}/sessions")
}

/// There, after another password was chosen.
pub fn password_changed(slug: &str) -> String {
    format!("/w/{slug}/sessions?changed=1")
}

/// There, after the person's address became another one.
pub fn email_changed(slug: &str) -> String {
    format!("/w/{slug}/sessions?email=changed")
}

pub fn audit(slug: &str) -> String {
    format!("/w/{slug}/audit")
}

/// The audit log with everything the page can be asked for.
pub fn audit_log(slug: &str, query: &AuditQuery) -> String {
    let mut parts = audit_parts(&query.filter);
    let place = [("before", query.before), ("after", query.after), ("entry", query.entry)];
    parts.extend(place.into_iter().filter_map(|(name, seq)| Some(format!("{name}={}", seq?))));
    if query.verify {
        parts.push("verify=1".into());
    }
    with_query(audit(slug), &parts)
}

/// The audit log as a file; `ending` is csv or ndjson.
pub fn audit_file(slug: &str, filter: &AuditFilter, ending: &str) -> String {
    with_query(format!("{}.{ending}", audit(slug)), &audit_parts(filter))
}

fn audit_parts(filter: &AuditFilter) -> Vec<String> {
    filter.pairs().into_iter().map(|(name, value)| format!("{name}={}", escape(value))).collect()
}

fn with_query(path: String, parts: &[String]) -> String {
    if parts.is_empty() { path } else { format!("{path}?{}", parts.join("&")) }
}

/// Whether this is the path of an Overview.
pub fn is_overview(path: &str) -> bool {
    path.strip_prefix("/w/").is_some_and(|slug| !slug.is_empty() && !slug.contains('/'))
}

/// The event stream of the Overview page, from what was read at `since` on.
pub fn live_overview(slug: &str, query: &OverviewQuery, since: Micros) -> String {
    let mut url = format!("/w/{slug}/live?page=overview&since={since}");
    if let Some(range) = query.range {
        url.push_str(&format!("&range={range}"));
    }
    if let Some(metric) = &query.metric {
        url.push_str(&format!("&metric={}", escape(metric)));
    }
    if let Some(id) = query.asset {
        url.push_str(&format!("&asset={id}"));
    }
    url.push_str(&format!("&number={}", query.page));
    url
}

/// The event stream of the pages about sources.
pub fn live_sources(slug: &str, since: Micros) -> String {
    format!("/w/{slug}/live?page=sources&since={since}")
}

/// The event stream of pages that have none of their own, for the frame around them.
pub fn live_frame(slug: &str) -> String {
    format!("/w/{slug}/live?page=frame")
}

/// Whether the page at this path follows a stream of its own.
pub fn is_live(path: &str) -> bool {
    let page = path.strip_prefix("/w/").and_then(|rest| rest.split_once('/')).map(|(_, page)| page);
    let about_sources = page.and_then(|page| page.strip_prefix("sources"));
    is_overview(path)
        || about_sources.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && rest != "/connect")
}

fn overview_query(query: &OverviewQuery) -> String {
    let mut parts = Vec::new();
    if let Some(range) = query.range {
        parts.push(range.to_query());
    }
    if let Some(metric) = &query.metric {
        parts.push(format!("metric={}", escape(metric)));
    }
    if let Some(id) = query.asset {
        parts.push(format!("asset={id}"));
    }
    if query.page > 0 {
        parts.push(format!("page={}", query.page + 1));
    }
    parts.join("&")
}

/// Percent-encodes all but unreserved characters.
fn escape(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::view::range::TimeRange;

    #[test]
    fn a_sign_in_returns_to_our_own_pages_only() {
        for fine in ["/", "/w/nordmark/sources?x=1", "/w/a?x=../b", "/w/a/...", "/sso"] {
            assert_eq!(local(fine), Some(fine));
        }
        for foreign in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "/sign-in?next=/",
            "/sso/start/evil",
            "/w/../sso/start/evil",
            "/w/.%2E/sso/start/evil",
            "/./sign-in",
        ] {
            assert_eq!(local(foreign), None, "{foreign:?}");
        }
        assert_eq!(sign_in_then("/w/a?x=1&y=é"), "/sign-in?next=/w/a%3Fx%3D1%26y%3D%C3%A9");
    }

    #[test]
    fn our_own_people_have_a_sign_in_of_their_own() {
        assert_eq!(sign_in_then(OPS), "/ops/sign-in");
        assert_eq!(sign_in_then(&ops_workspace("a")), "/ops/sign-in");
        assert_eq!(sign_in_then(OPS_EVENTS), "/ops/sign-in");
        assert_eq!(sign_in_then("/opsx"), "/sign-in?next=/opsx");
        assert!(is_live("/w/a") && is_live("/w/a/sources") && is_live("/w/a/sources/9"));
        assert!(!is_live(&connect("a")) && !is_live("/w/a/audit") && !is_live("/w/a/sourcesx") && !is_live(OPS));
        assert!(!is_overview(&support("a")) && !is_overview(&ops_workspace("a")));
    }

    #[test]
    fn a_code_and_a_confirmation_lead_back_to_our_own_pages_only() {
        assert_eq!(sign_in_code(None), "/sign-in/code");
        assert_eq!(sign_in_code(Some("/w/a?x=1")), "/sign-in/code?next=/w/a%3Fx%3D1");
        assert_eq!(sign_in_by_recovery(Some("/w/a")), "/sign-in/code?recovery=1&next=/w/a");
        assert_eq!(second_factor(Some("https://evil.example")), "/second-factor");
        assert_eq!(confirm_then("//evil.example"), "/confirm-it");
        // The page as it was before its form was refused.
        assert_eq!(here("/w/a/members", "?__path=%2Fapi&__err=x"), "/w/a/members");
        assert_eq!(here("/w/a/sources/connect", "pairing=7&__err=x"), "/w/a/sources/connect?pairing=7");
    }

    #[test]
    fn the_overview_is_known_by_its_path() {
        assert!(is_overview(&overview("nordmark", &OverviewQuery::default())));
        for other in ["/", "/w/", "/sign-in", &sources("nordmark"), &dead_letters("nordmark"), &audit("nordmark")] {
            assert!(!is_overview(other), "{other}");
        }
    }

    #[test]
    fn an_invitation_is_a_page_to_come_back_to() {
        assert_eq!(local(&invitation("0a1b")), Some("/invite/0a1b"));
        assert_eq!(invitation("../w/a?x"), "/invite/../w/a%3Fx");
        assert_eq!(members_invited("a", "maja@n.example"), "/w/a/members?invited=maja%40n.example");
        assert!(!is_overview(&invitation("0a1b")) && !is_overview(&members("a")) && !is_overview(&retention("a")));
    }

    #[test]
    fn an_audit_page_and_its_file_have_the_same_filter() {
        assert_eq!(audit_log("a", &AuditQuery::default()), "/w/a/audit");
        let filter =
            AuditFilter { actor: Some("maja & co".into()), to: Some("2026-11-23".into()), ..AuditFilter::default() };
        assert_eq!(audit_file("a", &filter, "csv"), "/w/a/audit.csv?to=2026-11-23&actor=maja%20%26%20co");
        let query = AuditQuery { filter, before: Some(7), entry: Some(9), verify: true, ..AuditQuery::default() };
        assert_eq!(audit_log("a", &query), "/w/a/audit?to=2026-11-23&actor=maja%20%26%20co&before=7&entry=9&verify=1");
    }

    #[test]
    fn a_page_of_machines_is_one_to_come_back_to() {
        assert_eq!(sites_page("a", &SitesQuery::default()), "/w/a/sites");
        let after = "0-42".parse().ok();
        let query = SitesQuery { find: Some("press & co".into()), before: None, after };
        let path = sites_page("a", &query);
        assert_eq!(path, "/w/a/sites?find=press%20%26%20co&after=0-42");
        assert_eq!(local(&path), Some(path.as_str()));
    }

    #[test]
    fn the_plain_page_has_a_plain_url() {
        assert_eq!(overview("a", &OverviewQuery::default()), "/w/a");
        let query = OverviewQuery {
            range: Some(TimeRange::Between { from: 1, to: 2 }),
            metric: Some("T 24".into()),
            asset: None,
            page: 1,
        };
        assert_eq!(overview("a", &query), "/w/a?from=1&to=2&metric=T%2024&page=2");
        assert_eq!(live_overview("a", &query, 9), "/w/a/live?page=overview&since=9&range=1..2&metric=T%2024&number=1");
    }
}

//! Every door with who may go through it: one row each, and a door without a row fails.
//!
//! `sent` is the query of a GET or the form of a POST, with the caller's own things in braces: see `world`.

use clarity_domain::role::{Permission, Role};
use clarity_domain::scope::Scope;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Somebody without a session as well: whatever is told is told to all alike.
    Anyone,
    /// Whoever is signed in, in their own name.
    Person,
    /// Members of the workspace whose role has this permission.
    Member(Permission),
    /// A program whose API token has this scope. A person's cookie opens nothing here.
    Token(Scope),
    /// The platform's own people, by a session of theirs. Nobody of any workspace.
    Ops,
    /// Those of them whom an owner of the workspace lets in at this moment.
    LetIn,
}

impl May {
    pub fn least_role(self) -> Option<Role> {
        match self {
            Self::Anyone | Self::Person | Self::Token(_) | Self::Ops | Self::LetIn => None,
            Self::Member(permission) => Some(permission.least_role()),
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Person => "whoever is signed in",
            Self::Ops => "the platform's own people",
            Self::LetIn => "the platform's own people, while an owner lets them in",
            Self::Member(permission) => match permission.least_role() {
                Role::Viewer => "viewer",
                Role::Operator => "operator",
                Role::Admin => "admin",
                Role::Owner => "owner",
            },
            Self::Token(scope) => match scope {
                Scope::ReadWorkspace => "a token with read:workspace",
                Scope::ReadAssets => "a token with read:assets",
                Scope::ReadSources => "a token with read:sources",
                Scope::ReadSeries => "a token with read:series",
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page, asked for by a browser.
    Page,
    /// A server function that reads, by GET.
    Read,
    /// A server function that acts, by POST.
    Act,
    /// A file, a stream or a probe.
    Other,
    /// An operation of the API, by GET with a bearer: see `api`.
    Api,
}

#[derive(Debug)]
pub struct Door {
    pub kind: Kind,
    /// As the router has it.
    pub path: &'static str,
    pub sent: &'static str,
    pub may: May,
}

impl Door {
    /// Whether the request names a thing by its id, so that another's can be named instead.
    pub fn names_a_thing(&self) -> bool {
        let place = |text: &str| text.contains('{') && text != "{slug}";
        let parts = self.path.split('/').chain(self.sent.split(['&', '=']));
        parts.filter(|part| *part != "{slug}").any(place)
    }
}

const fn door(kind: Kind, may: May, path: &'static str, sent: &'static str) -> Door {
    Door { kind, path, sent, may }
}

const VIEW: May = May::Member(Permission::View);
const SOURCES: May = May::Member(Permission::ManageSources);
const MEMBERS: May = May::Member(Permission::ManageMembers);
const OWNER: May = May::Member(Permission::OwnWorkspace);
const TOKENS: May = May::Member(Permission::ManageTokens);
const AUDIT: May = May::Member(Permission::ReadAudit);
const SUPPORT: May = May::Member(Permission::ReadSupport);
const DECIDE: May = May::Member(Permission::DecideSupport);
const RETENTION: May = May::Member(Permission::ManageRetention);
const MASKING: May = May::Member(Permission::ManageMasking);

pub const DOORS: &[Door] = &[
    // Public pages.
    door(Kind::Page, May::Anyone, "/", ""),
    door(Kind::Page, May::Anyone, "/sign-in", ""),
    door(Kind::Page, May::Anyone, "/sign-in/code", ""),
    door(Kind::Page, May::Anyone, "/sign-up", ""),
    door(Kind::Page, May::Anyone, "/confirm/{unknown}", ""),
    door(Kind::Page, May::Anyone, "/reset", ""),
    door(Kind::Page, May::Anyone, "/reset/{unknown}", ""),
    door(Kind::Page, May::Anyone, "/new-workspace", ""),
    door(Kind::Page, May::Anyone, "/invite/{unknown}", ""),
    door(Kind::Page, May::Anyone, "/dev/ui", ""),
    // Not there where letters are sent.
    door(Kind::Page, May::Anyone, "/dev/mail", ""),
    door(Kind::Read, May::Anyone, "/api/outbox/read", ""),
    // Pages of a person.
    door(Kind::Page, May::Person, "/second-factor", ""),
    door(Kind::Page, May::Person, "/confirm-it", ""),
    // Pages of a workspace.
    door(Kind::Page, VIEW, "/w/{slug}", "asset={asset}"),
    door(Kind::Page, VIEW, "/w/{slug}/sources", ""),
    door(Kind::Page, SOURCES, "/w/{slug}/sources/connect", "pairing={pairing}"),
    door(Kind::Page, VIEW, "/w/{slug}/sources/{source}", ""),
    door(Kind::Page, SOURCES, "/w/{slug}/dead-letters", ""),
    door(Kind::Page, VIEW, "/w/{slug}/sessions", ""),
    door(Kind::Page, AUDIT, "/w/{slug}/audit", "entry=1&verify=1"),
    // Coming and going.
    door(Kind::Act, May::Anyone, "/api/session/sign_in", "email=nobody%40plant.example&password=not+the+password"),
    door(Kind::Act, May::Anyone, "/api/session/finish_sign_in", "code=000000"),
    door(Kind::Act, May::Anyone, "/api/session/sign_up", "email=somebody%40plant.example"),
    door(Kind::Act, May::Anyone, "/api/session/find_sign_up", "token={unknown}"),
    door(
        Kind::Act,
        May::Anyone,
        "/api/session/confirm",
        "token={unknown}&workspace=W&name=N&password=four+plain+words+here",
    ),
    door(Kind::Act, May::Anyone, "/api/session/ask_reset", "email=nobody%40plant.example"),
    door(Kind::Act, May::Anyone, "/api/session/find_reset", "token={unknown}"),
    door(Kind::Act, May::Anyone, "/api/session/reset", "token={unknown}&password=four+plain+words+here"),
    door(Kind::Read, May::Anyone, "/api/session/current", ""),
    door(Kind::Act, May::Anyone, "/api/session/sign_out", ""),
    door(Kind::Act, May::Person, "/api/session/confirm_it", "password=not+the+password&code=000000"),
    door(Kind::Read, May::Person, "/api/second_factor/read", ""),
    door(Kind::Act, May::Person, "/api/second_factor/begin", ""),
    door(Kind::Act, May::Person, "/api/second_factor/enrol", "code=000000"),
    door(Kind::Act, May::Person, "/api/second_factor/kept", ""),
    door(Kind::Act, May::Person, "/api/second_factor/new_codes", ""),
    door(Kind::Act, May::Person, "/api/second_factor/remove", ""),
    // By a passkey: after the password, in its place, to confirm, and one's own.
    door(Kind::Read, May::Anyone, "/api/session/second_step", ""),
    door(Kind::Act, May::Anyone, "/api/passkeys/begin_second_step", ""),
    door(Kind::Act, May::Anyone, "/api/passkeys/second_step", "credential=none"),
    door(Kind::Act, May::Anyone, "/api/passkeys/begin_sign_in", ""),
    door(Kind::Act, May::Anyone, "/api/passkeys/sign_in", "credential=none"),
    door(Kind::Act, May::Person, "/api/passkeys/begin_confirm", ""),
    door(Kind::Act, May::Person, "/api/passkeys/confirm", "credential=none"),
    door(Kind::Act, May::Person, "/api/passkeys/begin_add", ""),
    door(Kind::Act, May::Person, "/api/passkeys/add", "name=N&credential=none"),
    door(Kind::Act, May::Person, "/api/passkeys/remove", "id=00000000-0000-7000-8000-000000000000"),
    door(Kind::Act, May::Person, "/api/passkeys/rename", "id=00000000-0000-7000-8000-000000000000&name=N"),
    door(Kind::Act, May::Person, "/api/session/add_workspace", "workspace=Another"),
    door(Kind::Read, May::Person, "/api/sessions/list", ""),
    door(Kind::Act, VIEW, "/api/sessions/end", "slug={slug}&id={session}"),
    door(Kind::Act, VIEW, "/api/sessions/end_others", "slug={slug}"),
    door(Kind::Act, VIEW, "/api/sessions/change_password", "slug={slug}&current=wrong&password=four+plain+words+here"),
    // Another e-mail address: asked for on one's own page, made and stopped by the links of letters.
    door(Kind::Act, VIEW, "/api/email_change/ask", "slug={slug}&email=another-of-mine%40plant.example"),
    door(Kind::Act, VIEW, "/api/email_change/withdraw", "slug={slug}"),
    door(Kind::Page, May::Person, "/email/{unknown}", ""),
    door(Kind::Act, May::Person, "/api/email_change/find", "token={unknown}"),
    door(Kind::Act, May::Person, "/api/email_change/change", "token={unknown}"),
    door(Kind::Page, May::Anyone, "/email/stop/{unknown}", ""),
    door(Kind::Act, May::Anyone, "/api/email_change/find_stop", "token={unknown}"),
    door(Kind::Act, May::Anyone, "/api/email_change/stop", "token={unknown}"),
    // What a workspace shows.
    door(Kind::Read, VIEW, "/api/session/frame", "slug={slug}"),
    door(Kind::Read, VIEW, "/api/session/seat", "slug={slug}"),
    door(Kind::Read, VIEW, "/api/overview/read", "slug={slug}&query[asset]={asset}&query[page]=0"),
    door(Kind::Read, VIEW, "/api/search/find", "slug={slug}&text=e"),
    door(Kind::Read, VIEW, "/api/sources/list", "slug={slug}"),
    door(Kind::Read, VIEW, "/api/sources/get", "slug={slug}&id={source}"),
    door(Kind::Act, SOURCES, "/api/sources/replace_key", "slug={slug}&id={agent}"),
    door(Kind::Act, SOURCES, "/api/sources/revoke_agent", "slug={slug}&id={agent}"),
    door(Kind::Read, SOURCES, "/api/dead_letters/list", "slug={slug}"),
    door(Kind::Other, VIEW, "/w/{slug}/live", "page=overview&since=1&asset={asset}"),
    // Its members. Everybody sees their own place, may leave, and may accept what is offered to them.
    door(Kind::Page, VIEW, "/w/{slug}/members", ""),
    door(Kind::Read, VIEW, "/api/members/read", "slug={slug}"),
    door(Kind::Act, VIEW, "/api/members/accept_ownership", "slug={slug}"),
    door(Kind::Act, VIEW, "/api/members/leave", "slug={slug}"),
    door(Kind::Act, MEMBERS, "/api/members/invite", "slug={slug}&email=new%40plant.example&role=viewer"),
    door(Kind::Act, MEMBERS, "/api/members/change_role", "slug={slug}&user={user}&role=viewer"),
    door(Kind::Act, MEMBERS, "/api/members/limit", "slug={slug}&user={user}&only=every"),
    door(Kind::Act, MEMBERS, "/api/members/remove", "slug={slug}&user={user}"),
    door(Kind::Act, MEMBERS, "/api/members/resend", "slug={slug}&id={invitation}"),
    door(Kind::Act, MEMBERS, "/api/members/revoke", "slug={slug}&id={invitation}"),
    door(Kind::Act, OWNER, "/api/members/offer", "slug={slug}&user={user}"),
    door(Kind::Act, OWNER, "/api/members/withdraw", "slug={slug}"),
    door(Kind::Act, OWNER, "/api/members/require_second_factor", "slug={slug}&required=false"),
    door(Kind::Act, May::Anyone, "/api/invitation/find", "token={unknown}"),
    door(Kind::Act, May::Anyone, "/api/invitation/accept", "token={unknown}&name=N&password=four+plain+words+here"),
    // Its single sign-on.
    door(Kind::Page, OWNER, "/w/{slug}/sso", ""),
    door(Kind::Read, OWNER, "/api/sso/read", "slug={slug}"),
    door(
        Kind::Act,
        OWNER,
        "/api/sso/set",
        "slug={slug}&issuer=https%3A%2F%2Flogin.plant.example&client_id=c&client_secret=s&default_role=viewer&enabled=false",
    ),
    door(Kind::Act, OWNER, "/api/sso/require", "slug={slug}&required=false"),
    door(Kind::Act, OWNER, "/api/sso/break_glass", "slug={slug}&user={user}&marked=false"),
    door(Kind::Act, OWNER, "/api/sso/unlink", "slug={slug}&user={user}"),
    door(Kind::Act, OWNER, "/api/sso/remove", "slug={slug}"),
    door(Kind::Page, May::Anyone, "/sso", ""),
    door(Kind::Page, May::Anyone, "/sso/link", ""),
    door(Kind::Read, May::Anyone, "/api/sso/said", ""),
    door(Kind::Read, May::Anyone, "/api/sso/find_link", ""),
    door(Kind::Act, May::Anyone, "/api/sso/link", "password=not+the+password&code=000000"),
    door(Kind::Other, May::Anyone, "/sso/start", "slug={slug}"),
    door(Kind::Other, May::Anyone, "/sso/start/{slug}", ""),
    door(Kind::Other, May::Anyone, "/sso/callback/{workspace}", "state={unknown}&code=c"),
    // How long it keeps what.
    door(Kind::Page, RETENTION, "/w/{slug}/retention", "class=audit&days=90"),
    door(Kind::Read, RETENTION, "/api/retention/read", "slug={slug}&class=audit&days=90"),
    door(Kind::Act, RETENTION, "/api/retention/set", "slug={slug}&class=dead_letters&days=forever"),
    door(Kind::Act, OWNER, "/api/retention/hold", "slug={slug}&reason=A+case"),
    door(Kind::Act, OWNER, "/api/retention/lift", "slug={slug}&id={hold}"),
    // Its domains. Their card stands on the page of single sign-on.
    door(Kind::Read, OWNER, "/api/domains/read", "slug={slug}"),
    door(Kind::Act, OWNER, "/api/domains/add", "slug={slug}&domain=werk.nordmark.com"),
    door(Kind::Act, OWNER, "/api/domains/check", "slug={slug}&id={domain}"),
    door(Kind::Act, OWNER, "/api/domains/remove", "slug={slug}&id={domain}"),
    // Its plan, and what it uses of it.
    door(Kind::Page, OWNER, "/w/{slug}/usage", ""),
    door(Kind::Read, OWNER, "/api/usage/read", "slug={slug}"),
    // What is kept, under its masks.
    door(Kind::Read, May::Member(Permission::ManageMasking), "/api/rewrite/read", "slug={slug}"),
    door(Kind::Act, May::Member(Permission::ManageMasking), "/api/rewrite/start", "slug={slug}"),
    // What is masked in it.
    door(Kind::Page, MASKING, "/w/{slug}/masking", ""),
    door(Kind::Read, MASKING, "/api/masking/read", "slug={slug}"),
    door(
        Kind::Act,
        MASKING,
        "/api/masking/add",
        "slug={slug}&of={source}+public.staff&field=name&rule=hash&amount=&place=agent&least_role=admin",
    ),
    door(Kind::Act, MASKING, "/api/masking/remove", "slug={slug}&id={mask}"),
    // Its set-up.
    door(Kind::Page, SOURCES, "/w/{slug}/welcome", "step=site"),
    door(Kind::Read, SOURCES, "/api/set_up/read", "slug={slug}"),
    door(Kind::Act, SOURCES, "/api/set_up/place", "slug={slug}&region=Europe&time_zone=Europe%2FStockholm"),
    door(Kind::Act, SOURCES, "/api/set_up/site", "slug={slug}&name=Werk+1&time_zone=Europe%2FStockholm"),
    door(Kind::Act, SOURCES, "/api/set_up/skip", "slug={slug}&step=colleagues"),
    door(Kind::Act, SOURCES, "/api/set_up/dismiss", "slug={slug}"),
    door(Kind::Act, SOURCES, "/api/set_up/sample", "slug={slug}&show=false"),
    door(Kind::Act, MEMBERS, "/api/set_up/invite", "slug={slug}&email=another%40plant.example&role=viewer"),
    // Its name, address, place and sites.
    door(Kind::Page, SOURCES, "/w/{slug}/settings", ""),
    door(Kind::Read, SOURCES, "/api/workspace_settings/read", "slug={slug}"),
    door(Kind::Act, SOURCES, "/api/workspace_settings/rename", "slug={slug}&name={slug}+works"),
    door(Kind::Act, OWNER, "/api/workspace_settings/address", "slug={slug}&address={slug}"),
    door(Kind::Act, SOURCES, "/api/workspace_settings/place", "slug={slug}&region=Europe&time_zone=Europe%2FStockholm"),
    door(
        Kind::Act,
        SOURCES,
        "/api/workspace_settings/add_site",
        "slug={slug}&site=Werk+2&site_zone=Europe%2FStockholm",
    ),
    door(
        Kind::Act,
        SOURCES,
        "/api/workspace_settings/set_site",
        "slug={slug}&id={site}&name=Werk+3&time_zone=Europe%2FStockholm",
    ),
    door(Kind::Act, SOURCES, "/api/workspace_settings/remove_site", "slug={slug}&id={site}"),
    // Its sites.
    door(Kind::Page, SOURCES, "/w/{slug}/sites", ""),
    door(Kind::Read, SOURCES, "/api/sites/read", "slug={slug}"),
    door(Kind::Act, SOURCES, "/api/sites/place", "slug={slug}&machine={asset}&site="),
    // The programs that read it.
    door(Kind::Page, TOKENS, "/w/{slug}/tokens", "new={token}"),
    door(Kind::Read, TOKENS, "/api/tokens/read", "slug={slug}&new={token}"),
    door(
        Kind::Act,
        TOKENS,
        "/api/tokens/create",
        "slug={slug}&name=Program&role=viewer&days=30&scopes%5B%5D=read%3Aassets",
    ),
    door(
        Kind::Act,
        TOKENS,
        "/api/tokens/add",
        "slug={slug}&account={account}&name=Next&days=30&scopes%5B%5D=read%3Aassets",
    ),
    door(Kind::Act, TOKENS, "/api/tokens/revoke", "slug={slug}&id={token}"),
    door(Kind::Act, TOKENS, "/api/tokens/remove", "slug={slug}&id={account}"),
    // What is done in it.
    door(Kind::Act, SOURCES, "/api/dead_letters/replay", "slug={slug}&stream={stream}&fingerprint=none"),
    door(Kind::Act, SOURCES, "/api/pairing/begin", "slug={slug}"),
    door(Kind::Read, SOURCES, "/api/pairing/get", "slug={slug}&id={pairing}"),
    door(Kind::Act, SOURCES, "/api/pairing/approve", "slug={slug}&id={pairing}"),
    door(Kind::Act, SOURCES, "/api/pairing/refuse", "slug={slug}&id={pairing}"),
    door(
        Kind::Read,
        AUDIT,
        "/api/audit/read",
        "slug={slug}&query[filter][act]=workspace.create&query[entry]=1&query[verify]=true",
    ),
    door(Kind::Other, AUDIT, "/w/{slug}/audit.csv", ""),
    door(Kind::Other, AUDIT, "/w/{slug}/audit.ndjson", ""),
    // Who of the platform's own people may look into it.
    door(Kind::Page, SUPPORT, "/w/{slug}/support", ""),
    door(Kind::Read, SUPPORT, "/api/support/read", "slug={slug}"),
    door(Kind::Act, DECIDE, "/api/support/approve", "slug={slug}&id={grant}"),
    door(Kind::Act, DECIDE, "/api/support/refuse", "slug={slug}&id={grant}"),
    door(Kind::Act, DECIDE, "/api/support/end", "slug={slug}&id={grant}"),
    // The platform's own people.
    door(Kind::Page, May::Anyone, "/ops/sign-in", ""),
    door(Kind::Page, May::Anyone, "/ops/enrol/{unknown}", ""),
    door(Kind::Read, May::Anyone, "/api/ops/current", ""),
    door(
        Kind::Act,
        May::Anyone,
        "/api/ops/sign_in",
        "email=nobody%40clarity.example&password=not+the+password&code=000000",
    ),
    door(Kind::Act, May::Anyone, "/api/ops/sign_out", ""),
    door(Kind::Act, May::Anyone, "/api/ops/find_enrolment", "token={unknown}"),
    door(Kind::Act, May::Anyone, "/api/ops/enrol", "token={unknown}&password=four+plain+words+here&code=000000"),
    door(Kind::Page, May::Ops, "/ops", ""),
    door(Kind::Page, May::Ops, "/ops/workspaces/{slug}", ""),
    door(Kind::Page, May::Ops, "/ops/events", "person=anna&act=sign_in&outcome=refused"),
    door(Kind::Read, May::Ops, "/api/ops/list", ""),
    door(Kind::Read, May::Ops, "/api/ops/events", "query[filter][act]=sign_in&query[filter][outcome]=refused"),
    door(Kind::Read, May::Ops, "/api/ops/read", "slug={slug}"),
    door(Kind::Act, May::Ops, "/api/ops/ask", "slug={slug}&reason=A+case&minutes=30"),
    door(Kind::Read, May::LetIn, "/api/ops/look", "slug={slug}"),
    // What programs read.
    door(Kind::Api, May::Token(Scope::ReadWorkspace), "/api/v1/workspace", ""),
    door(Kind::Api, May::Token(Scope::ReadAssets), "/api/v1/assets", ""),
    door(Kind::Api, May::Token(Scope::ReadAssets), "/api/v1/assets/{asset}", ""),
    door(Kind::Api, May::Token(Scope::ReadSources), "/api/v1/sources", ""),
    door(
        Kind::Api,
        May::Token(Scope::ReadSeries),
        "/api/v1/series",
        "asset={asset}&metric=Speed&from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z",
    ),
    // Its end.
    door(Kind::Page, OWNER, "/w/{slug}/delete", ""),
    door(Kind::Read, OWNER, "/api/deletion/read", "slug={slug}"),
    door(Kind::Act, OWNER, "/api/deletion/request", "slug={slug}&name=not+the+name"),
    door(Kind::Act, OWNER, "/api/deletion/keep", "slug={slug}"),
    door(Kind::Other, OWNER, "/w/{slug}/export.ndjson", ""),
    door(Kind::Page, May::Anyone, "/deleted/{unknown}", ""),
    door(Kind::Act, May::Anyone, "/api/deletion/certificate", "token={unknown}"),
    // What asks nobody.
    door(Kind::Other, May::Anyone, "/healthz", ""),
    door(Kind::Other, May::Anyone, "/readyz", ""),
    door(Kind::Other, May::Anyone, "/api/v1/openapi.json", ""),
];

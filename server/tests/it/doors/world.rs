//! Two workspaces with people of every role and a thing of every kind, and sessions by the hundred.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::{Request, header};
use clarity_domain::role::Role;
use clarity_service::{Limits, MailSettings};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::filled;
use crate::stage::{ORIGIN, Stage};

/// Who knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    /// With the cookie of a session that is too old.
    Expired,
    /// With the cookie of a session that was ended.
    Revoked,
    /// The owner of another workspace.
    Stranger,
    Member(Role),
    /// A viewer who is limited to one of our sites.
    Limited,
}

impl Caller {
    pub const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Expired,
        Self::Revoked,
        Self::Stranger,
        Self::Member(Role::Viewer),
        Self::Member(Role::Operator),
        Self::Member(Role::Admin),
        Self::Member(Role::Owner),
        Self::Limited,
    ];

    pub fn is_nobody(self) -> bool {
        matches!(self, Self::Anonymous | Self::Expired | Self::Revoked)
    }

    /// As what they are in our workspace.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Member(role) => Some(role),
            Self::Limited => Some(Role::Viewer),
            Self::Anonymous | Self::Expired | Self::Revoked | Self::Stranger => None,
        }
    }

    /// Whose cookie it is: their workspace, and how their address there begins.
    pub fn person(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Anonymous => None,
            Self::Stranger => Some(("acme", Role::Owner.as_str())),
            Self::Expired | Self::Revoked => Some(("nordmark", Role::Owner.as_str())),
            Self::Member(role) => Some(("nordmark", role.as_str())),
            Self::Limited => Some(("nordmark", "limited")),
        }
    }
}

/// One of the platform's own people, knocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    /// Whom nobody lets in.
    Outside,
    /// Whom an owner of our workspace lets in.
    LetIn,
    /// Whose grant there has run out.
    RunOut,
    /// Whose grant there was ended.
    Ended,
    /// Whom the other workspace lets in.
    LetInElsewhere,
    /// With the cookie of a session that is too old.
    Expired,
    /// That was not used for half an hour.
    Idle,
    /// That was ended.
    Revoked,
    /// Whom an operator disabled, let in as they were.
    Disabled,
}

impl Ours {
    pub const ALL: [Self; 9] = [
        Self::Outside,
        Self::LetIn,
        Self::RunOut,
        Self::Ended,
        Self::LetInElsewhere,
        Self::Expired,
        Self::Idle,
        Self::Revoked,
        Self::Disabled,
    ];

    pub fn is_nobody(self) -> bool {
        matches!(self, Self::Expired | Self::Idle | Self::Revoked | Self::Disabled)
    }
}

/// How a program's token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenIs {
    Live,
    Expired,
    Revoked,
    /// Its service account is gone.
    OfRemoved,
}

/// What stands in the braces of a door.
pub type Things = BTreeMap<&'static str, String>;

pub struct World {
    pub stage: Stage,
    pub own: Things,
    pub theirs: Things,
    /// Our own things, but the site and the machine of the site that [`Caller::Limited`] does not see.
    pub elsewhere: Things,
}

const ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Admin, Role::Owner];
/// The hash of a password that nobody knows.
const NOBODYS: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Text that only the other workspace's rows hold.
pub const CANARY: &str = "zqcanary";
/// Text that only the rows of our other site and its machine hold.
pub const ELSEWHERE: &str = "otherplant";

impl World {
    pub async fn new() -> Self {
        let mail = MailSettings::outbox("Clarity Stream <no-reply@localhost>").expect("an address");
        Self::at(ORIGIN, mail).await
    }

    pub async fn at(origin: &str, mail: MailSettings) -> Self {
        let limits = Limits { attempts_per_minute: NonZeroU32::MAX, open_pairings: i64::MAX, ..Limits::default() };
        let stage = Stage::with(origin, false, mail, limits).await;
        let own = workspace(&stage, "nordmark", "nordmark", 0x0a).await;
        let theirs = workspace(&stage, "acme", CANARY, 0x0b).await;
        let elsewhere = other_site(&stage, &own).await;
        Self { stage, own, theirs, elsewhere }
    }

    /// The cookie of a new session, and everybody in their seats again, whatever was done before.
    pub async fn session(&self, caller: Caller) -> Option<String> {
        let (slug, person) = caller.person()?;
        let token = hex::encode([Uuid::now_v7().as_bytes().as_slice(), Uuid::new_v4().as_bytes()].concat());
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let mut sql = String::new();
        for slug in ["nordmark", "acme"] {
            for role in ROLES {
                sql += &format!(
                    "insert into auth.memberships (workspace_id, user_id, role)
                       select w.id, u.id, '{0}' from auth.workspaces w, auth.users u where w.slug = '{slug}' and u.email = '{0}@{slug}.example'
                     on conflict (workspace_id, user_id) do update set role = excluded.role, sites = null;",
                    role.as_str()
                );
            }
        }
        sql += &filled(LIMITED, &self.own);
        sql += &format!(
            "insert into auth.sessions (token_hash, id, user_id, expires_at)
             select '\\x{hash}', '{}', id, now() + interval '1 day' from auth.users where email = '{person}@{slug}.example'",
            Uuid::now_v7()
        );
        self.stage.sql(&sql).await;
        if caller.is_nobody() {
            // It was good once, and used.
            let request = Request::get("/api/session/current").header(header::COOKIE, format!("cs={token}"));
            self.stage.send(request.body(Body::empty()).expect("a request")).await;
            let ended = if caller == Caller::Expired {
                "expires_at = now() - interval '1 second'"
            } else {
                "revoked_at = now()"
            };
            self.stage.sql(&format!("update auth.sessions set {ended} where token_hash = '\\x{hash}'")).await;
        }
        Some(token)
    }

    /// Whoever has this session showed longer ago than a quarter of an hour that it is them.
    pub async fn long_confirmed(&self, token: &str) {
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let sql = format!(
            "update auth.sessions set confirmed_at = now() - interval '16 minutes' where token_hash = '\\x{hash}'"
        );
        self.stage.sql(&sql).await;
    }

    /// What every row of the other workspace and of its people says, in few letters: any change of it is another text.
    pub async fn all_that_is_theirs(&self) -> String {
        let admin = self.stage.db.admin().await;
        let tables = "select c.oid::regclass::text
                      from pg_class c join pg_attribute a on a.attrelid = c.oid
                      where a.attname = 'workspace_id' and not a.attisdropped
                        and c.relkind in ('r', 'p') and not c.relispartition
                      order by 1";
        let workspace = &self.theirs["workspace"];
        let mut all = vec![
            format!("select 'workspace' as place, t::text as line from auth.workspaces t where t.id = '{workspace}'"),
            "select 'user', t::text from auth.users t where t.email like '%@acme.example'".to_owned(),
            "select 'session', t::text from auth.sessions t join auth.users u on u.id = t.user_id
             where u.email like '%@acme.example'"
                .to_owned(),
        ];
        for row in admin.query(tables, &[]).await.expect("readable") {
            let name: String = row.get(0);
            all.push(format!("select '{name}', t::text from {name} t where t.workspace_id = '{workspace}'"));
        }
        let sql = format!(
            "select md5(string_agg(place || line, ',' order by place, line)) from ({}) rows",
            all.join(" union all ")
        );
        admin.query_one(&sql, &[]).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
    }

    /// The cookie's value of a new session of somebody new of the platform's own people.
    pub async fn ours(&self, caller: Ours) -> String {
        let token = hex::encode([Uuid::now_v7().as_bytes().as_slice(), Uuid::new_v4().as_bytes()].concat());
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let (id, grant) = (Uuid::now_v7(), Uuid::now_v7());
        let at = |is: Ours| if caller == is { "now()" } else { "null" };
        let (revoked, disabled, ended) = (at(Ours::Revoked), at(Ours::Disabled), at(Ours::Ended));
        let expires = if caller == Ours::Expired { "now() - interval '1 second'" } else { "now() + interval '1 hour'" };
        let seen = if caller == Ours::Idle { "now() - interval '31 minutes'" } else { "now()" };
        let ends = if caller == Ours::RunOut { "now() - interval '1 second'" } else { "now() + interval '5 minutes'" };
        let slug = if caller == Ours::LetInElsewhere { "acme" } else { "nordmark" };
        let mut sql = format!(
            "insert into auth.ops_users (id, email, name, password_hash, totp_box, enrolled_at, disabled_at)
               values ('{id}', '{id}@ours.example', 'Anna', '{NOBODYS}', '\\x00', now(), {disabled});
             insert into auth.ops_sessions (token_hash, ops_user_id, expires_at, last_seen_at, revoked_at)
               values ('\\x{hash}', '{id}', {expires}, {seen}, {revoked});"
        );
        if caller != Ours::Outside {
            sql += &format!(
                "insert into support_grants (workspace_id, id, ops_user_id, ops_name, ops_email, reason, minutes, decision,
                                             decided_at, decided_by_name, ends_at, ended_at)
                   select id, '{grant}', '{id}', 'Anna', '{id}@ours.example', 'A case', 30, 'approved',
                          now() - interval '20 minutes', 'An owner', {ends}, {ended}
                   from auth.workspaces where slug = '{slug}';"
            );
        }
        self.stage.sql(&sql).await;
        token
    }

    /// The bearer of a new token, of a new service account of this workspace.
    pub async fn bearer(&self, slug: &str, scope: &str, state: TokenIs) -> String {
        let token =
            format!("cst_{}", hex::encode([Uuid::now_v7().as_bytes().as_slice(), Uuid::new_v4().as_bytes()].concat()));
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let expires =
            if state == TokenIs::Expired { "now() - interval '1 second'" } else { "now() + interval '1 day'" };
        let at = |is: TokenIs| if state == is { "now()" } else { "null" };
        let (revoked, removed) = (at(TokenIs::Revoked), at(TokenIs::OfRemoved));
        let (account, id) = (Uuid::now_v7(), Uuid::now_v7());
        let sql = format!(
            "insert into auth.service_accounts (workspace_id, id, name, role, created_by, removed_at)
               select w.id, '{account}', '{account}', 'viewer', u.id, {removed}
               from auth.workspaces w, auth.users u where w.slug = '{slug}' and u.email = 'owner@{slug}.example';
             insert into auth.api_tokens
                 (token_hash, id, workspace_id, service_account_id, name, scopes, created_by, created_at, expires_at, revoked_at)
               select '\\x{hash}', '{id}', a.workspace_id, a.id, 'a', array['{scope}'], a.created_by, now() - interval '1 day',
                      {expires}, {revoked}
               from auth.service_accounts a where a.id = '{account}'"
        );
        self.stage.sql(&sql).await;
        token
    }

    /// Ids that nothing has.
    pub fn nothing(&self) -> Things {
        let other = |(name, value): (&&'static str, &String)| {
            let fresh = if Uuid::parse_str(value).is_ok() { Uuid::now_v7().to_string() } else { value.clone() };
            (*name, fresh)
        };
        self.own.iter().map(other).collect()
    }
}

/// The seat of [`Caller::Limited`]: at the site of the machine that doors name, wherever somebody moved that.
const LIMITED: &str = "
  insert into auth.memberships (workspace_id, user_id, role, sites)
    select w.id, u.id, 'viewer', array['{site}'::uuid] from auth.workspaces w, auth.users u
    where w.id = '{workspace}' and u.email = 'limited@nordmark.example'
    on conflict (workspace_id, user_id) do update set role = excluded.role, sites = excluded.sites;
  update assets set site_id = '{site}'
    where workspace_id = '{workspace}' and id = '{asset}' and site_id is distinct from '{site}';";

/// The id of a workspace's thing.
fn id(seed: u8, kind: u8) -> String {
    Uuid::from_u128((u128::from(seed) << 120) | (0x7000_8000 << 48) | u128::from(kind)).to_string()
}

/// Another site of ours with a machine, and the person who does not see them.
async fn other_site(stage: &Stage, own: &Things) -> Things {
    let mut things = own.clone();
    things.insert("site", id(0x0a, 0x20));
    things.insert("asset", id(0x0a, 0x21));
    let sql = format!(
        "insert into auth.users (id, email, name, password_hash)
           values ('{}', 'limited@{{slug}}.example', '{{slug}} limited', '{NOBODYS}');
         insert into sites (workspace_id, id, name) values ('{{workspace}}', '{{site}}', '{ELSEWHERE}');
         insert into assets (workspace_id, id, number, key, name, line, site_id)
           values ('{{workspace}}', '{{asset}}', 2, '{ELSEWHERE}', '{ELSEWHERE}', '{ELSEWHERE}', '{{site}}');",
        id(0x0a, 0x22)
    );
    stage.sql(&filled(&sql, &things)).await;
    things
}

async fn workspace(stage: &Stage, slug: &'static str, name: &str, seed: u8) -> Things {
    let id = |kind: u8| id(seed, kind);
    let mut things = Things::from([("slug", slug.to_owned()), ("unknown", "ab".repeat(32))]);
    for (kind, thing) in (1u8..).zip([
        "workspace",
        "source",
        "stream",
        "asset",
        "pairing",
        "session",
        "user",
        "invitation",
        "hold",
        "account",
        "token",
        "domain",
        "mask",
        "grant",
        "agent",
        // The place after it is nobody's: the viewer has the user's id.
        "site",
    ]) {
        things.insert(thing, id(kind));
    }
    let mut sql =
        "insert into auth.workspaces (id, slug, name) values ('{workspace}', '{slug}', '{name} works');".to_owned();
    for (n, role) in (0x10u8..).zip(ROLES) {
        let user = if role == Role::Viewer { "{user}".to_owned() } else { id(n) };
        sql += &format!(
            "insert into auth.users (id, email, name, password_hash) values ('{user}', '{0}@{{slug}}.example', '{{name}} {0}', '{NOBODYS}');",
            role.as_str()
        );
    }
    sql += "
      insert into auth.sessions (token_hash, id, user_id, expires_at, user_agent)
        values (sha256('{session}'), '{session}', '{user}', now() + interval '1 day', '{name}');
      insert into auth.pairings (id, workspace_id, agent_name, locator, secret_hash, created_by, expires_at)
        values ('{pairing}', '{workspace}', '{name}', upper(left('{slug}', 4)), sha256('{pairing}'), '{user}', now() + interval '1 day');
      insert into auth.invitations (id, workspace_id, email, role, token_hash, invited_by, expires_at)
        values ('{invitation}', '{workspace}', 'asked@{slug}.example', 'viewer', sha256('{invitation}'), '{user}', now() + interval '1 day');
      insert into support_grants (workspace_id, id, ops_user_id, ops_name, ops_email, reason, minutes)
        values ('{workspace}', '{grant}', '{grant}', '{name}', '{name}', '{name}', 30);
      insert into legal_holds (workspace_id, id, reason, placed_by) values ('{workspace}', '{hold}', '{name}', '{user}');
      insert into workspace_domains (workspace_id, id, domain, token, added_by)
        values ('{workspace}', '{domain}', '{name}.com', md5('{domain}'), '{user}');
      insert into auth.service_accounts (workspace_id, id, name, role, created_by)
        values ('{workspace}', '{account}', '{name}', 'viewer', '{user}');
      insert into auth.api_tokens (token_hash, id, workspace_id, service_account_id, name, scopes, created_by, expires_at)
        values (sha256('{token}'), '{token}', '{workspace}', '{account}', '{name}', '{read:assets}', '{user}', now() + interval '1 day');
      insert into agents (workspace_id, id, name, seen_at) values ('{workspace}', '{source}', '{name}', now());
      insert into auth.agent_keys (agent_id, workspace_id, public_key) values ('{agent}', '{workspace}', sha256('{agent}'));
      insert into agents (workspace_id, id, name) values ('{workspace}', '{agent}', '{name}');
      insert into sources (workspace_id, id, agent_id, name, kind, partition) values ('{workspace}', '{source}', '{source}', '{name}', 'postgres', 0);
      insert into streams (workspace_id, id, source_id, name, schema) values ('{workspace}', '{stream}', '{source}', '{name}', '{}');
      insert into sites (workspace_id, id, name) values ('{workspace}', '{site}', '{name}');
      insert into assets (workspace_id, id, number, key, name, site_id)
        values ('{workspace}', '{asset}', 1, '{name}', '{name}', '{site}');
      insert into masking_policies (workspace_id, id, source_id, stream, field, rule, place, created_by, created_by_name)
        values ('{workspace}', '{mask}', '{source}', '*', '{name}', '{\"kind\": \"hide\"}', 'agent', '{user}', '{name}');";
    sql = sql.replace("{name}", name);
    stage.sql(&filled(&sql, &things)).await;
    things
}

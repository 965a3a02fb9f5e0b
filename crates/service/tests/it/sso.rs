//! Single sign-on with a real provider: who joins, who is linked, who is refused; and whose session reaches where.

use std::net::SocketAddr;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::plan::{Limit, Plan, Terms};
use clarity_domain::role::Role;
use clarity_domain::view::second_factor::SecondFactor;
use clarity_domain::view::sso::SsoEdit;
use clarity_service::{
    Limits, LinkSso, OutgoingSettings, Seat, SignedIn, SsoAnswer, SsoAsk, SsoOutcome, SsoStart, Visitor,
};
use clarity_testkit::{IdentityProvider, ProviderAccount, TestDb};
use hickory_resolver::proto::rr::RecordType;

use crate::name_server::{Answer, NameServer};
use crate::stage::{PASSWORD, Stage, client};

const MAJA: &str = "maja@nordmark.example";
/// Below it lie the workspaces' own.
const REDIRECT: &str = "https://clarity.example/sso/callback";

fn account(sub: &str, email: &str, email_verified: bool) -> ProviderAccount {
    ProviderAccount { sub: sub.into(), email: email.into(), email_verified, name: format!("Name of {sub}") }
}

/// A provider, and Nordmark with Maja as its owner and its domain verified; single sign-on is on.
struct World {
    provider: IdentityProvider,
    stage: Stage,
    maja: SignedIn,
    slug: String,
}

impl World {
    async fn new() -> Self {
        Self::asking(None).await
    }

    /// With a name server that is asked for domains.
    async fn asking(resolver: Option<SocketAddr>) -> Self {
        let accounts = [
            account("maja", MAJA, true),
            account("joe", "joe@nordmark.example", true),
            account("unverified", "ann@nordmark.example", false),
            account("foreign", "eve@elsewhere.example", true),
        ];
        let provider = IdentityProvider::start(REDIRECT, &accounts).await;
        let outgoing = OutgoingSettings { allow: vec![provider.address()], resolver, ..OutgoingSettings::default() };
        let stage = Stage::reaching(TestDb::new().await, Limits::default(), "a test's", outgoing).await;
        let maja = stage.sign_up("Nordmark", MAJA).await.unwrap();
        let slug = maja.session.workspaces[0].slug.clone();
        let world = Self { provider, stage, maja, slug };
        let seat = world.seat().await;
        world.set_up(&seat).await;
        world.own_domain(&seat, "nordmark.example").await;
        world
    }

    async fn seat(&self) -> Seat {
        self.stage.seat(&self.maja).await
    }

    async fn set_up(&self, seat: &Seat) {
        let edit = SsoEdit {
            issuer: self.provider.issuer(),
            client_id: IdentityProvider::CLIENT_ID.into(),
            client_secret: IdentityProvider::CLIENT_SECRET.into(),
            default_role: Role::Operator,
            enabled: true,
        };
        self.stage.services.set_sso(seat, edit).await.unwrap();
    }

    async fn own_domain(&self, seat: &Seat, domain: &str) {
        let sql = format!(
            "insert into workspace_domains (workspace_id, id, domain, token, added_by, verified_at)
             values ('{}', gen_random_uuid(), '{domain}', repeat('a', 32), gen_random_uuid(), now())",
            seat.frame_card().id
        );
        self.stage.sql(&sql).await;
    }

    async fn start(&self, slug: &str, ask: SsoAsk, visitor: &Visitor) -> Result<SsoStart, AppError> {
        self.stage.services.start_sso(visitor, slug, ask, &client()).await
    }

    /// To the provider as `sub`, and what it sends back.
    async fn answer(&self, start: &SsoStart, sub: &str) -> SsoAnswer {
        read(&self.provider.sign_in(&start.url, sub, REDIRECT).await)
    }

    async fn finish(&self, start: &SsoStart, answer: SsoAnswer) -> Result<SsoOutcome, AppError> {
        self.stage.services.finish_sso(answer, Some(&start.browser), &client()).await
    }

    async fn come(&self, slug: &str, sub: &str) -> Result<SsoOutcome, AppError> {
        let start = self.start(slug, SsoAsk::default(), &Visitor::Anonymous).await?;
        let answer = self.answer(&start, sub).await;
        self.finish(&start, answer).await
    }

    async fn in_as(&self, sub: &str) -> SignedIn {
        match self.come(&self.slug, sub).await.unwrap_or_else(|error| panic!("{sub}: {error}")) {
            SsoOutcome::SignedIn { signed_in, .. } => signed_in,
            _ => panic!("{sub} is not in"),
        }
    }

    async fn refused(&self, slug: &str, sub: &str, reason: &str) -> AppError {
        let error = self.come(slug, sub).await.err().expect("a refusal");
        let written = format!("audit_entries where outcome = 'refused' and after->>'reason' = '{reason}'");
        assert_eq!(self.stage.count(&written).await, 1, "{reason}: {error}");
        error
    }

    async fn link(&self, token: &str, password: &str) -> Result<SsoOutcome, AppError> {
        let form = LinkSso { password: password.into(), code: None };
        self.stage.services.link_sso(token, form, &client()).await
    }

    /// Maja tests, and comes back as `sub`.
    async fn test_as(&self, sub: &str) {
        let visitor = self.stage.visitor(&self.maja).await;
        let ask = SsoAsk { test: true, ..SsoAsk::default() };
        let start = self.start(&self.slug, ask, &visitor).await.unwrap_or_else(|error| panic!("{error}"));
        let answer = self.answer(&start, sub).await;
        assert!(matches!(self.finish(&start, answer).await, Ok(SsoOutcome::Tested { .. })));
    }

    /// An app's codes, which their sessions have shown.
    async fn second_factor_of(&self, user: UserId) {
        self.stage
            .sql(&format!(
                "insert into auth.totp (user_id, secret_box, confirmed_at) values ('{user}', 'sealed', now());
                 update auth.sessions set second_factor_at = now() where user_id = '{user}'"
            ))
            .await;
    }

    /// Single sign-on is required, and Maja may come in past it.
    async fn require(&self) {
        self.test_as("maja").await;
        let seat = self.seat().await;
        let user = self.maja.session.user.id;
        self.second_factor_of(user).await;
        self.stage.services.set_break_glass(&seat, user, true).await.unwrap();
        self.stage.services.require_sso(&seat, true).await.unwrap();
    }
}

/// What stands in the address that a browser is sent back to.
fn read(url: &str) -> SsoAnswer {
    let url = url::Url::parse(url).unwrap();
    let of = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    SsoAnswer {
        workspace: url.path_segments().and_then(|mut parts| parts.next_back()).and_then(|id| id.parse().ok()),
        state: of("state").unwrap_or_default(),
        code: of("code"),
        iss: of("iss"),
        error: of("error"),
    }
}

#[tokio::test]
async fn somebody_of_the_workspaces_domain_joins_and_is_the_same_person_again() {
    let world = World::new().await;
    let first = world.in_as("joe").await;
    assert_eq!(first.session.user.email, "joe@nordmark.example");
    assert_eq!(first.session.user.name, "Name of joe");
    assert_eq!(first.session.workspaces[0].role, Role::Operator);
    assert_eq!(world.stage.count("audit_entries where act = 'sso.join'").await, 1);
    let again = world.in_as("joe").await;
    assert_eq!(again.session.user.id, first.session.user.id);
    assert_eq!(world.stage.count("audit_entries where act = 'sso.join'").await, 1, "they joined once");
    // Nobody knows a password of it.
    assert!(world.stage.first_step("joe@nordmark.example", PASSWORD).await.is_err());
}

#[tokio::test]
async fn an_account_with_the_same_address_is_linked_by_its_password_alone() {
    let world = World::new().await;
    let joe = world.stage.sign_up("Joe's", "joe@nordmark.example").await.unwrap();
    let Ok(SsoOutcome::Link { token, .. }) = world.come(&world.slug, "joe").await else { panic!("linked silently") };
    assert_eq!(world.stage.count("auth.sso_identities").await, 0);
    let page = world.stage.services.find_sso_link(&token).await.unwrap();
    assert_eq!(
        (page.email.as_str(), page.workspace.as_str(), page.with_code),
        ("joe@nordmark.example", "Nordmark", false)
    );
    let wrong = world.link(&token, "not the password at all").await.err().unwrap();
    assert_eq!(wrong.field.as_deref(), Some("password"));
    let Ok(SsoOutcome::SignedIn { signed_in, slug, .. }) = world.link(&token, PASSWORD).await else {
        panic!("not linked")
    };
    assert_eq!((signed_in.session.user.id, slug.as_str()), (joe.session.user.id, world.slug.as_str()));
    assert!(world.link(&token, PASSWORD).await.is_err(), "it is used up");
    assert_eq!(world.in_as("joe").await.session.user.id, joe.session.user.id);
}

#[tokio::test]
async fn a_link_has_five_passwords() {
    let world = World::new().await;
    world.stage.sign_up("Joe's", "joe@nordmark.example").await.unwrap();
    let Ok(SsoOutcome::Link { token, .. }) = world.come(&world.slug, "joe").await else { panic!("no link") };
    for _ in 0..5 {
        world.stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
        assert!(world.link(&token, "not the password at all").await.is_err());
    }
    world.stage.sql("update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null").await;
    assert_eq!(world.link(&token, PASSWORD).await.err().unwrap().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn an_address_that_nobody_vouches_for_is_refused_with_what_to_do() {
    let world = World::new().await;
    let error = world.refused(&world.slug, "unverified", "email_not_verified").await;
    assert!(error.message.contains("email_verified"), "{error}");
    let error = world.refused(&world.slug, "foreign", "domain_not_verified").await;
    assert!(error.message.contains("elsewhere.example is not verified"), "{error}");
    assert_eq!(world.stage.count("auth.users").await, 1, "no account was made");
}

#[tokio::test]
async fn a_provider_says_nothing_in_another_workspace() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    // Acme has the same provider, which knows the same subject, and no verified domain.
    let acme = world.stage.sign_up("Acme", "owner@acme.example").await.unwrap();
    let seat = world.stage.seat(&acme).await;
    world.set_up(&seat).await;
    let slug = seat.frame_card().slug;
    world.refused(&slug, "joe", "domain_not_verified").await;
    assert_eq!(world.stage.count("auth.sso_identities").await, 1);
    // Even as a member there, Joe's session of Nordmark's provider has no seat in it.
    world
        .stage
        .sql(&format!(
            "insert into auth.memberships (workspace_id, user_id, role) values ('{}', '{}', 'viewer')",
            seat.frame_card().id,
            joe.session.user.id
        ))
        .await;
    let visitor = world.stage.visitor(&joe).await;
    let slugs: Vec<_> = visitor.session().unwrap().workspaces.iter().map(|w| w.slug.as_str()).collect();
    assert_eq!(slugs, [world.slug.as_str()]);
    let error = world.stage.services.enter(&visitor, &slug, &client()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(world.stage.services.enter(&visitor, &world.slug, &client()).await.is_ok());
}

#[tokio::test]
async fn a_session_by_single_sign_on_changes_no_account() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    let visitor = world.stage.visitor(&joe).await;
    let services = &world.stage.services;
    let refused = [
        services.begin_enrolment(&visitor).await.err(),
        services.add_workspace(&visitor, "Joe's", &client()).await.err(),
        services.change_password(&visitor, PASSWORD.into(), "another four words".into(), &client()).await.err(),
    ];
    for error in refused {
        assert_eq!(error.expect("a refusal").code, ErrorCode::Forbidden);
    }
    // Nor does it see, or end, sessions elsewhere.
    world
        .stage
        .sql(&format!(
            "insert into auth.sessions (token_hash, id, user_id, expires_at)
         values (sha256('other'), gen_random_uuid(), '{}', now() + interval '1 day')",
            joe.session.user.id
        ))
        .await;
    let open = services.open_sessions(&visitor).await.unwrap();
    assert!(open.sessions.len() == 1 && open.sessions[0].by_sso, "{open:?}");
    world.stage.sql("update auth.sessions set confirmed_at = now()").await;
    let visitor = world.stage.visitor(&joe).await;
    services.end_other_sessions(&visitor, &client()).await.unwrap();
    assert_eq!(world.stage.count("auth.sessions where token_hash = sha256('other') and revoked_at is null").await, 1);
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked_and_from_whom_was_asked() {
    let world = World::new().await;
    let start =
        world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
    let answer = world.answer(&start, "joe").await;
    assert_eq!(answer.iss.as_deref(), Some(world.provider.issuer().as_str()));
    let other =
        world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
    for browser in [None, Some(other.browser.as_str()), Some("nonsense")] {
        let error = world.stage.services.finish_sso(answer.clone(), browser, &client()).await.err().unwrap();
        assert_eq!(error.code, ErrorCode::NotFound);
    }
    let state = SsoAnswer { state: "ab".repeat(32), ..answer.clone() };
    assert!(world.finish(&start, state).await.is_err(), "a state of nobody");
    assert!(world.finish(&start, answer.clone()).await.is_ok());
    let replayed = world.finish(&start, answer).await.err().unwrap();
    assert_eq!(replayed.code, ErrorCode::NotFound);
    assert_eq!(world.stage.count("audit_entries where after->>'reason' = 'replayed'").await, 1);
    assert_eq!(world.stage.count("audit_entries where after->>'reason' = 'another_browser'").await, 3);

    // Mix-up: the code of one workspace's provider is never carried to another's, though neither of them names itself.
    for workspace in [None, Some(WorkspaceId(uuid::Uuid::from_u128(1)))] {
        let start =
            world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
        let answer = world.answer(&start, "joe").await;
        assert!(answer.workspace.is_some(), "the address back is the workspace's own");
        let elsewhere = SsoAnswer { workspace, iss: None, ..answer.clone() };
        assert_eq!(world.finish(&start, elsewhere).await.err().unwrap().code, ErrorCode::NotFound);
    }
    assert_eq!(world.stage.count("audit_entries where after->>'reason' = 'another_workspace'").await, 2);

    // Nor is the code of one provider carried to another.
    for iss in [None, Some("https://evil.example".to_owned())] {
        let start =
            world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
        let answer = SsoAnswer { iss, ..world.answer(&start, "joe").await };
        assert_eq!(world.finish(&start, answer).await.err().unwrap().code, ErrorCode::Unavailable);
    }
    assert_eq!(world.stage.count("audit_entries where after->>'reason' = 'another_issuer'").await, 2);
    // Too late.
    let start =
        world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
    let answer = world.answer(&start, "joe").await;
    world.stage.sql("update auth.sso_attempts set expires_at = now() - interval '1 second'").await;
    assert!(world.finish(&start, answer).await.is_err());
}

#[tokio::test]
async fn whoever_was_removed_stays_out() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    let seat = world.seat().await;
    world.stage.services.remove_member(&seat, joe.session.user.id).await.unwrap();
    assert!(world.stage.visitor(&joe).await.session().unwrap().workspaces.is_empty());
    world.refused(&world.slug, "joe", "not_a_member").await;
}

#[tokio::test]
async fn no_provider_opens_an_account_that_was_disabled() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    world.stage.services.disable_account(&joe.session.user.email).await.unwrap();
    assert!(world.stage.visitor(&joe).await.session().is_none());
    let error = world.refused(&world.slug, "joe", "disabled").await;
    assert_eq!(error.code, ErrorCode::Forbidden);
    world.stage.services.enable_account(&joe.session.user.email).await.unwrap();
    world.in_as("joe").await;
}

#[tokio::test]
async fn whoever_is_unlinked_shows_their_password_again() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    let seat = world.seat().await;
    let linked = world.stage.services.sso(&seat).await.unwrap().linked;
    assert_eq!(linked.iter().map(|one| one.id).collect::<Vec<_>>(), [joe.session.user.id]);
    world.stage.services.unlink_sso(&seat, joe.session.user.id).await.unwrap();
    assert!(world.stage.visitor(&joe).await.session().is_none());
    assert!(matches!(world.come(&world.slug, "joe").await, Ok(SsoOutcome::Link { .. })));
    let again = world.stage.services.unlink_sso(&seat, joe.session.user.id).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_workspace_without_it_answers_like_none() {
    let world = World::new().await;
    let acme = world.stage.sign_up("Acme", "owner@acme.example").await.unwrap();
    let mut words = Vec::new();
    for slug in [acme.session.workspaces[0].slug.as_str(), "nothing-here", "", "é/.."] {
        let error = world.start(slug, SsoAsk::default(), &Visitor::Anonymous).await.err().unwrap();
        assert_eq!(error.code, ErrorCode::NotFound, "{slug}");
        words.push(error.message);
    }
    words.dedup();
    assert_eq!(words.len(), 1);
}

#[tokio::test]
async fn a_test_tells_what_it_found_and_signs_nobody_in() {
    let world = World::new().await;
    let sessions = world.stage.count("auth.sessions").await;
    world.test_as("foreign").await;
    let seat = world.seat().await;
    let page = world.stage.services.sso(&seat).await.unwrap().connection.unwrap();
    let found = page.found.unwrap();
    assert_eq!(
        (found.subject.as_str(), found.own, found.domain_verified, found.email_verified),
        ("foreign", false, false, true)
    );
    assert!(page.tested_at.is_none() && page.not_yet.is_some(), "it was not the owner's own account");
    world.test_as("maja").await;
    let page = world.stage.services.sso(&seat).await.unwrap().connection.unwrap();
    assert!(page.tested_at.is_some() && page.found.unwrap().domain_verified);
    assert_eq!(world.stage.count("auth.sessions").await, sessions);
    // From now on Maja comes in by it herself.
    assert_eq!(world.in_as("maja").await.session.user.id, world.maja.session.user.id);
    // Only owners who have just shown that it is them.
    let joe = world.in_as("joe").await;
    let visitor = world.stage.visitor(&joe).await;
    let ask = SsoAsk { test: true, ..SsoAsk::default() };
    assert_eq!(world.start(&world.slug, ask.clone(), &visitor).await.err().unwrap().code, ErrorCode::Forbidden);
    world.stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let visitor = world.stage.visitor(&world.maja).await;
    assert_eq!(world.start(&world.slug, ask, &visitor).await.err().unwrap().code, ErrorCode::ConfirmNeeded);
}

#[tokio::test]
async fn required_it_shuts_out_passwords_but_for_marked_owners() {
    let world = World::new().await;
    let seat = world.seat().await;
    let member = world.stage.member(&seat, "ann@nordmark.example", Role::Admin).await;
    let early = world.stage.services.require_sso(&seat, true).await.unwrap_err();
    assert_eq!(early.code, ErrorCode::Conflict, "nothing was tested");
    world.require().await;
    // The one who has a password, and is no marked owner.
    let visitor = world.stage.visitor(&member).await;
    let error = world.stage.services.enter(&visitor, &world.slug, &client()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SsoNeeded);
    // Who comes by it is in, and so is the marked owner, by the session from before.
    let joe = world.in_as("joe").await;
    assert!(world.stage.services.enter(&world.stage.visitor(&joe).await, &world.slug, &client()).await.is_ok());
    let maja = world.stage.visitor(&world.maja).await;
    let seat = world.stage.services.enter(&maja, &world.slug, &client()).await.unwrap();
    // The last way in stays.
    let user = world.maja.session.user.id;
    let last = world.stage.services.set_break_glass(&seat, user, false).await.unwrap_err();
    assert_eq!(last.code, ErrorCode::Conflict);
    // Not asked for any more, passwords open it again.
    world.stage.services.require_sso(&seat, false).await.unwrap();
    let visitor = world.stage.visitor(&member).await;
    assert!(world.stage.services.enter(&visitor, &world.slug, &client()).await.is_ok());
}

#[tokio::test]
async fn whoever_comes_in_past_it_is_written_down_and_told() {
    let world = World::new().await;
    let seat = world.seat().await;
    world.stage.member(&seat, "ann@nordmark.example", Role::Admin).await;
    world.stage.sql("update auth.memberships set role = 'owner'").await;
    world.require().await;
    world.stage.sql("delete from auth.totp").await;
    let past = world.stage.sign_in(MAJA, PASSWORD).await.unwrap();
    // By the password alone nobody comes in past it, also not by a connection that is open.
    let visitor = world.stage.visitor(&past).await;
    let error = world.stage.services.enter(&visitor, &world.slug, &client()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SecondFactorNeeded);
    assert!(world.stage.services.still_seated(&seat).await.unwrap(), "her session from before has shown one");
    world.stage.sql("update auth.sessions set second_factor_at = null").await;
    assert!(!world.stage.services.still_seated(&seat).await.unwrap());
    assert_eq!(world.stage.count("audit_entries where act = 'sso.use_break_glass'").await, 1);
    let (subject, text) = world.stage.last_letter("ann@nordmark.example").await;
    assert!(subject.contains("came in past single sign-on") && text.contains("/audit"), "{subject}\n{text}");
}

#[tokio::test]
async fn taken_away_or_turned_off_it_ends_what_came_by_it() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    world.stage.sql("update auth.sso_connections set enabled = false").await;
    assert!(world.stage.visitor(&joe).await.session().unwrap().workspaces.is_empty());
    assert!(world.come(&world.slug, "joe").await.is_err());
    world.stage.sql("update auth.sso_connections set enabled = true").await;
    assert_eq!(world.stage.visitor(&joe).await.session().unwrap().workspaces.len(), 1);
    let seat = world.seat().await;
    world.stage.services.remove_sso(&seat).await.unwrap();
    assert!(world.stage.visitor(&joe).await.session().is_none());
    // The secret was never readable, neither here nor in the log.
    let secret = IdentityProvider::CLIENT_SECRET;
    assert_eq!(
        world.stage.count(&format!("audit_entries e where e::text like '%{}%'", secret.replace('\'', "''"))).await,
        0
    );
}

#[tokio::test]
async fn to_confirm_that_it_is_them_somebody_signs_in_at_the_provider_anew() {
    let world = World::new().await;
    world.test_as("maja").await;
    let maja = world.in_as("maja").await;
    world.stage.sql("update auth.sessions set confirmed_at = null").await;
    let seat = world.stage.seat(&maja).await;
    let error = world.stage.services.require_sso(&seat, true).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ConfirmNeeded);
    let ask = SsoAsk { again: true, next: Some("/w/nordmark/sso".into()), ..SsoAsk::default() };
    let start = world.start(&world.slug, ask, &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(start.url.contains("prompt=login") && start.url.contains("max_age=60"), "{}", start.url);
    let answer = world.answer(&start, "maja").await;
    let Ok(SsoOutcome::SignedIn { signed_in, next, .. }) = world.finish(&start, answer).await else { panic!("not in") };
    assert_eq!(next.as_deref(), Some("/w/nordmark/sso"));
    let seat = world.stage.seat(&signed_in).await;
    let error = world.stage.services.require_sso(&seat, true).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict, "confirmed; something else stands in the way: {error}");
}

#[tokio::test]
async fn the_second_factor_of_who_comes_in_past_it_stays() {
    let world = World::new().await;
    world.require().await;
    let visitor = world.stage.visitor(&world.maja).await;
    let error = world.stage.services.remove_second_factor(&visitor, &client()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict, "{error}");
    assert!(error.message.contains("Nordmark"), "{error}");
    assert_eq!(world.stage.count("auth.totp").await, 1, "nothing of it is gone");
    // With a passkey beside it the app may go.
    let user = world.maja.session.user.id;
    world
        .stage
        .sql(&format!(
            "insert into auth.passkeys (id, user_id, credential_id, credential, name)
             values (gen_random_uuid(), '{user}', 'device', '{{}}', 'iPhone')"
        ))
        .await;
    world.stage.services.remove_second_factor(&visitor, &client()).await.unwrap();
    let seat = world.seat().await;
    let owners = world.stage.services.sso(&seat).await.unwrap().owners;
    assert!(owners[0].second_factor && owners[0].break_glass, "a passkey is a second factor: {owners:?}");
    // Where it is not required the mark goes with the last one.
    world.stage.services.require_sso(&seat, false).await.unwrap();
    world.stage.sql("delete from auth.passkeys").await;
    world.second_factor_of(user).await;
    let visitor = world.stage.visitor(&world.maja).await;
    world.stage.services.remove_second_factor(&visitor, &client()).await.unwrap();
    assert_eq!(world.stage.count("auth.memberships where break_glass").await, 0);
}

#[tokio::test]
async fn a_session_by_single_sign_on_sees_nothing_of_the_second_factor() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    let user = joe.session.user.id;
    world
        .stage
        .sql(&format!(
            "insert into auth.totp (user_id, secret_box) values ('{user}', 'sealed');
             insert into auth.passkeys (id, user_id, credential_id, credential, name)
             values (gen_random_uuid(), '{user}', 'device', '{{}}', 'iPhone')"
        ))
        .await;
    let page = world.stage.services.second_factor(&world.stage.visitor(&joe).await).await.unwrap();
    assert_eq!(page.by_sso.as_deref(), Some(world.slug.as_str()));
    assert!(page.state == SecondFactor::Off && page.passkeys.list.is_empty(), "{page:?}");
}

#[tokio::test]
async fn a_member_who_is_removed_while_their_password_is_waited_for_stays_out() {
    let world = World::new().await;
    let seat = world.seat().await;
    // Nobody vouches for Eve's domain; as a member she may link.
    let eve = world.stage.member(&seat, "eve@elsewhere.example", Role::Viewer).await;
    let Ok(SsoOutcome::Link { token, .. }) = world.come(&world.slug, "foreign").await else { panic!("no link") };
    world.stage.services.remove_member(&seat, eve.session.user.id).await.unwrap();
    let error = world.link(&token, PASSWORD).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::Forbidden, "{error}");
    // Also if nobody had kept that she was removed: the password is not the workspace's word.
    world.stage.sql("delete from auth.removed_members").await;
    assert_eq!(world.link(&token, PASSWORD).await.err().unwrap().code, ErrorCode::Forbidden);
    assert_eq!(world.stage.count("auth.memberships").await, 1);
    assert_eq!(world.stage.count("auth.sso_identities").await, 0);
}

#[tokio::test]
async fn whoever_was_removed_before_they_were_linked_comes_back_by_an_invitation_alone() {
    let world = World::new().await;
    let seat = world.seat().await;
    let joe = world.stage.member(&seat, "joe@nordmark.example", Role::Viewer).await;
    let waiting = world.come(&world.slug, "joe").await;
    let Ok(SsoOutcome::Link { token, .. }) = waiting else { panic!("no link") };
    world.stage.services.remove_member(&seat, joe.session.user.id).await.unwrap();
    world.refused(&world.slug, "joe", "not_a_member").await;
    assert_eq!(
        world.link(&token, PASSWORD).await.err().unwrap().code,
        ErrorCode::Forbidden,
        "nor by a way from before"
    );
    world.stage.services.invite(&seat, "joe@nordmark.example", Role::Viewer).await.unwrap();
    let invitation = world.stage.invitation_token("joe@nordmark.example").await;
    let visitor = world.stage.visitor(&world.stage.sign_in("joe@nordmark.example", PASSWORD).await.unwrap()).await;
    world.stage.services.accept_invitation(&visitor, &invitation, None, &client()).await.unwrap();
    assert_eq!(world.stage.count("auth.removed_members").await, 0);
    let Ok(SsoOutcome::Link { token, .. }) = world.come(&world.slug, "joe").await else { panic!("no link") };
    assert!(world.link(&token, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn whom_an_invitation_limits_to_sites_is_limited_by_single_sign_on_as_well() {
    // Somebody new, and somebody with an account.
    for known in [false, true] {
        let world = World::new().await;
        let services = &world.stage.services;
        let seat = world.seat().await;
        services.add_site(&seat, "Plant South", "UTC").await.unwrap();
        let sites = services.workspace_settings(&seat).await.unwrap().sites;
        let south = sites.iter().find(|site| site.name == "Plant South").unwrap().id;
        if known {
            world.stage.sign_up("Joe's", "joe@nordmark.example").await.unwrap();
        }
        services.invite_to(&seat, "joe@nordmark.example", Role::Viewer, Some(&[south])).await.unwrap();
        let joe = match world.come(&world.slug, "joe").await.unwrap() {
            SsoOutcome::Link { token, .. } if known => world.link(&token, PASSWORD).await.unwrap(),
            came => came,
        };
        let SsoOutcome::SignedIn { signed_in: joe, .. } = joe else { panic!("Joe is not in") };
        let limited =
            format!("auth.memberships where user_id = '{}' and sites = array['{south}'::uuid]", joe.session.user.id);
        assert_eq!(world.stage.count(&limited).await, 1, "{known}");
        let frame = services.frame(&world.stage.visitor(&joe).await, &world.stage.seat(&joe).await).await.unwrap();
        assert_eq!((frame.sites, frame.limited_to), (1, Some(vec!["Plant South".to_owned()])), "{known}");
    }
}

#[tokio::test]
async fn nobody_joins_when_all_seats_are_taken() {
    let world = World::new().await;
    let terms = Terms { plan: Plan::Unlimited, agreed: [(Limit::Seats, Some(1))].into_iter().collect() };
    world.stage.set_plan(&world.slug, &terms).await;
    let error = world.refused(&world.slug, "joe", "no_seat").await;
    assert_eq!(error.code, ErrorCode::LimitExceeded);
    assert!(error.message.contains("Ask an owner"), "{error}");
    assert_eq!(world.stage.count("auth.users").await, 1, "nothing of it stays");
    assert_eq!(world.stage.count("auth.sso_identities").await, 0);
    // Nor by a link.
    world.stage.sign_up("Joe's", "joe@nordmark.example").await.unwrap();
    let Ok(SsoOutcome::Link { token, .. }) = world.come(&world.slug, "joe").await else { panic!("no link") };
    assert_eq!(world.link(&token, PASSWORD).await.err().unwrap().code, ErrorCode::LimitExceeded);
    world
        .stage
        .set_plan(&world.slug, &Terms { agreed: [(Limit::Seats, Some(2))].into_iter().collect(), ..terms })
        .await;
    assert!(world.link(&token, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn another_issuer_ends_what_the_one_before_vouched_for() {
    let world = World::new().await;
    let joe = world.in_as("joe").await;
    let start =
        world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"));
    let answer = world.answer(&start, "joe").await;
    let seat = world.seat().await;
    let edit = SsoEdit {
        issuer: "https://login.elsewhere.example".into(),
        client_id: IdentityProvider::CLIENT_ID.into(),
        client_secret: "another".into(),
        default_role: Role::Operator,
        enabled: true,
    };
    world.stage.services.set_sso(&seat, edit).await.unwrap();
    assert!(world.stage.visitor(&joe).await.session().is_none());
    assert_eq!(world.finish(&start, answer).await.err().unwrap().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_was_required_and_is_not_any_more_stands_in_the_log() {
    let world = World::new().await;
    world.require().await;
    let seat = world.seat().await;
    let edit = SsoEdit {
        issuer: world.provider.issuer(),
        client_id: IdentityProvider::CLIENT_ID.into(),
        client_secret: String::new(),
        default_role: Role::Operator,
        enabled: false,
    };
    world.stage.services.set_sso(&seat, edit).await.unwrap();
    let written =
        "audit_entries where act = 'sso.set' and before->>'required' = 'true' and after->>'required' = 'false'";
    assert_eq!(world.stage.count(written).await, 1);
}

#[tokio::test]
async fn whoever_begins_often_takes_nobody_elses_place() {
    let world = World::new().await;
    let ask = async || {
        world.start(&world.slug, SsoAsk::default(), &Visitor::Anonymous).await.unwrap_or_else(|e| panic!("{e}"))
    };
    let own = ask().await;
    let answer = world.answer(&own, "joe").await;
    world
        .stage
        .sql(
            "insert into auth.sso_attempts (state_hash, workspace_id, purpose, network, issuer, browser_hash, expires_at, created_at)
             select sha256(n::text::bytea), c.workspace_id, 'sign_in', '203.0.' || n % 20, c.issuer, sha256('x'),
                    now() + interval '1 minute', now() - interval '1 minute'
             from auth.sso_connections c, generate_series(1, 1500) n",
        )
        .await;
    // Nobody is refused, the oldest go, and what one network keeps is bounded.
    ask().await;
    assert_eq!(world.stage.count("auth.sso_attempts").await, 1_000);
    assert!(world.finish(&own, answer).await.is_ok());
    world.stage.sql("update auth.sso_attempts set network = '192.0.2'").await;
    ask().await;
    assert_eq!(world.stage.count("auth.sso_attempts where consumed_at is null").await, 100);
}

#[tokio::test]
async fn a_domain_that_is_gone_from_dns_lets_nobody_new_in_a_day_after_its_check() {
    let names = NameServer::start().await;
    let world = World::asking(Some(names.address)).await;
    let record = "_clarity-challenge.nordmark.example";
    names.say(record, vec![Answer::Nothing]);
    world
        .stage
        .sql(
            "update workspace_domains
             set verified_at = now() - interval '30 days', last_checked_at = now() - interval '25 hours'",
        )
        .await;
    let no = world.refused(&world.slug, "joe", "domain_not_verified").await;
    assert_eq!(no.code, ErrorCode::Forbidden);
    assert_eq!(world.stage.count("auth.users where email like 'joe@%'").await, 0);
    // That nobody can say takes nothing away; and whoever is in comes in without another look.
    names.say(record, vec![Answer::Failure]);
    world.in_as("joe").await;
    names.say(record, vec![Answer::Nothing]);
    world.in_as("joe").await;
    assert_eq!(names.asked(record, RecordType::TXT), 0);
}

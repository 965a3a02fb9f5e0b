//! Single sign-on with a real provider: who joins, who is linked, who is refused; and whose session reaches where.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::WorkspaceId;
use clarity_domain::role::Role;
use clarity_domain::view::sso::SsoEdit;
use clarity_service::{
    Limits, LinkSso, OutgoingSettings, Seat, SignedIn, SsoAnswer, SsoAsk, SsoOutcome, SsoStart, Visitor,
};
use clarity_testkit::{IdentityProvider, ProviderAccount, TestDb};

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
        let accounts = [
            account("maja", MAJA, true),
            account("joe", "joe@nordmark.example", true),
            account("unverified", "ann@nordmark.example", false),
            account("foreign", "eve@elsewhere.example", true),
        ];
        let provider = IdentityProvider::start(REDIRECT, &accounts).await;
        let outgoing = OutgoingSettings { allow: vec![provider.address()], ..OutgoingSettings::default() };
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

    /// Single sign-on is required, and Maja may come in past it.
    async fn require(&self) {
        self.test_as("maja").await;
        let seat = self.seat().await;
        let user = self.maja.session.user.id;
        self.stage
            .sql(&format!(
                "insert into auth.totp (user_id, secret_box, confirmed_at) values ('{user}', 'sealed', now())"
            ))
            .await;
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
    world.stage.sign_in(MAJA, PASSWORD).await.unwrap();
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

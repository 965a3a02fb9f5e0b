//! Our own people: no way in without a second factor, nothing of a workspace without its owner's word, and all of it told in the
//! workspace's audit log in both names.

use clarity_domain::audit::Outcome;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{OpsEventId, SupportGrantId};
use clarity_domain::role::Role;
use clarity_domain::support::OpsAct;
use clarity_domain::view::support::{OpsEventFilter, OpsEventQuery, SupportNow, SupportState};
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{EnrolOps, OpsSeat, OpsSignIn, OpsSignedIn, Seat, Services, SignedIn};
use clarity_store::OpsStore;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use uuid::Uuid;

use crate::stage::{PASSWORD, Stage, client};

const MAJA: &str = "maja@nordmark.example";
const ANNA: &str = "anna@clarity.example";

/// What an app would show so many steps from now, by the standard and not by the code under test.
fn code(secret: &str, steps: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.replace(' ', "").as_bytes()).unwrap();
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let step = seconds / 30 + steps;
    let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// A stage whose services have doors for our own people.
struct World {
    stage: Stage,
    services: Services,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let password = Secret::new(stage.db.cluster().password());
        let login = DbLogin { role: DbRole::Ops, url: stage.db.url(DbRole::Ops.name()), password };
        let ops = OpsStore::connect(&login, 2).await.unwrap();
        let services = stage.services.clone().with_ops(ops);
        Self { stage, services }
    }

    /// An account by the operator's command, with the secret of its app.
    async fn enrolled(&self, email: &str, name: &str) -> String {
        let (_, token, _) = self.services.add_ops_user(email, name).await.unwrap();
        let secret = self.services.ops_enrolment(&token).await.unwrap().app.secret;
        let form = EnrolOps { token, password: PASSWORD.into(), code: code(&secret, 0) };
        self.services.enrol_ops(form, &client()).await.unwrap();
        secret
    }

    async fn sign_in(&self, email: &str, password: &str, code: &str) -> Result<OpsSignedIn, AppError> {
        // Codes of the last steps count as new again, as if time had passed.
        self.stage.sql("update auth.ops_users set totp_step = 0").await;
        let form = OpsSignIn { email: email.into(), password: password.into(), code: code.into() };
        self.services.ops_sign_in(form, &client()).await
    }

    /// One of ours, signed in.
    async fn ours(&self, email: &str, name: &str) -> OpsSeat {
        let secret = self.enrolled(email, name).await;
        let signed_in = self.sign_in(email, PASSWORD, &code(&secret, 0)).await.unwrap();
        self.services.enter_ops(Some(&signed_in.token), &client()).await.unwrap()
    }

    /// Asks, and gives the request's id.
    async fn ask(&self, seat: &OpsSeat, slug: &str) -> SupportGrantId {
        self.services.ask_support(seat, slug, "Case 7", 30).await.unwrap();
        let page = self.services.ops_workspace(seat, slug).await.unwrap();
        page.requests[0].id
    }

    async fn approve(&self, owner: &Seat, id: SupportGrantId) -> Result<(), AppError> {
        self.services.approve_support(owner, id).await
    }

    /// What the frame of every page tells this member.
    async fn told(&self, member: &SignedIn) -> Vec<SupportNow> {
        let (visitor, seat) = (self.stage.visitor(member).await, self.stage.seat(member).await);
        self.services.frame(&visitor, &seat).await.unwrap().support
    }

    async fn look(&self, seat: &OpsSeat, slug: &str) -> Result<usize, AppError> {
        self.services.ops_look(seat, slug).await.map(|look| look.sources.len())
    }
}

async fn with_source(world: &World, owner: &Seat) {
    world.stage.with_source(owner, "").await;
}

#[tokio::test]
async fn nobody_of_ours_is_in_without_a_second_factor() {
    let world = World::new().await;
    let (_, token, _) = world.services.add_ops_user(ANNA, "Anna").await.unwrap();
    let early = world.sign_in(ANNA, PASSWORD, "000000").await.err().unwrap();
    assert_eq!(early.field.as_deref(), Some("password"), "an account without a password and a code is none");
    let enrolment = world.services.ops_enrolment(&token).await.unwrap();
    let again = world.services.ops_enrolment(&token).await.unwrap();
    assert_eq!(enrolment.app.secret, again.app.secret, "the page can be loaded again");
    let secret = enrolment.app.secret;
    for (password, code, field) in [
        ("short", code(&secret, 0), "password"),
        (PASSWORD, code(&secret, 40), "code"),
        (PASSWORD, String::new(), "code"),
    ] {
        let form = EnrolOps { token: token.clone(), password: password.into(), code };
        let error = world.services.enrol_ops(form, &client()).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field));
    }
    let form = EnrolOps { token: token.clone(), password: PASSWORD.into(), code: code(&secret, 0) };
    world.services.enrol_ops(form.clone(), &client()).await.unwrap();
    let used = world.services.enrol_ops(form, &client()).await.unwrap_err();
    assert_eq!(used.code, ErrorCode::NotFound, "the link works once");

    let without = world.sign_in(ANNA, PASSWORD, "").await.err().unwrap();
    let wrong_code = world.sign_in(ANNA, PASSWORD, &code(&secret, 40)).await.err().unwrap();
    let wrong_password = world.sign_in(ANNA, "not the password", &code(&secret, 0)).await.err().unwrap();
    let nobody = world.sign_in("nobody@clarity.example", PASSWORD, &code(&secret, 0)).await.err().unwrap();
    assert!([&wrong_code, &wrong_password, &nobody].iter().all(|error| **error == without), "all are told the same");
    let shown = code(&secret, 0);
    let signed_in = world.sign_in(ANNA, PASSWORD, &shown).await.unwrap();
    let form = OpsSignIn { email: ANNA.into(), password: PASSWORD.into(), code: shown };
    assert!(world.services.ops_sign_in(form, &client()).await.is_err(), "a code is taken once");

    // Half an hour, eight hours, a sign-out.
    let seat = world.services.enter_ops(Some(&signed_in.token), &client()).await.unwrap();
    for over in ["last_seen_at = now() - interval '30 minutes'", "expires_at = now()"] {
        world.stage.sql(&format!("update auth.ops_sessions set {over}")).await;
        assert!(world.services.enter_ops(Some(&signed_in.token), &client()).await.is_err(), "{over}");
        world
            .stage
            .sql("update auth.ops_sessions set last_seen_at = now(), expires_at = now() + interval '1 hour'")
            .await;
    }
    world.services.ops_sign_out(&seat).await.unwrap();
    let out = world.services.enter_ops(Some(&signed_in.token), &client()).await.err().unwrap();
    assert_eq!(out.code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn the_two_kinds_of_people_have_nothing_to_do_with_each_other() {
    let world = World::new().await;
    // The same address at both doors, with two passwords.
    let member = world.stage.sign_up("Nordmark", MAJA).await.unwrap();
    let secret = world.enrolled(MAJA, "Maja").await;
    world.stage.sql("update auth.ops_users set failed_sign_ins = 0").await;
    let signed_in = world.sign_in(MAJA, PASSWORD, &code(&secret, 0)).await.unwrap();
    let crossed = world.services.enter_ops(Some(&member.token), &client()).await.err().unwrap();
    assert_eq!(crossed.code, ErrorCode::Unauthenticated, "a member's token is nothing at the other door");
    assert!(world.services.visitor(Some(&signed_in.token)).await.unwrap().session().is_none(), "nor the other way");
    // Without doors nobody is there.
    let closed = world.stage.services.enter_ops(Some(&signed_in.token), &client()).await.err().unwrap();
    assert_eq!(closed.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn an_owner_lets_one_in_and_the_log_has_both_names() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    with_source(&world, &owner).await;
    let slug = owner.frame_card().slug;
    let anna = world.ours(ANNA, "Anna").await;
    let listed = world.services.ops_workspaces(&anna).await.unwrap().workspaces;
    assert_eq!((listed[0].slug.as_str(), listed[0].members), (slug.as_str(), 1));

    let long = "x".repeat(501);
    for (reason, minutes, field) in
        [("  ", 30, "reason"), (long.as_str(), 30, "reason"), ("Case", 0, "minutes"), ("Case", 241, "minutes")]
    {
        let error = world.services.ask_support(&anna, &slug, reason, minutes).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field));
    }
    let id = world.ask(&anna, &slug).await;
    let (subject, text) = world.stage.last_letter(MAJA).await;
    assert!(
        subject.contains("access") && text.contains("Case 7") && text.contains(&format!("/w/{slug}/support")),
        "{text}"
    );
    let twice = world.services.ask_support(&anna, &slug, "Case 8", 30).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Conflict);
    assert_eq!(world.look(&anna, &slug).await.unwrap_err().code, ErrorCode::Forbidden);

    world.approve(&owner, id).await.unwrap();
    assert_eq!(world.look(&anna, &slug).await.unwrap(), 1);
    let maja = world.stage.sign_in(MAJA, PASSWORD).await.unwrap();
    let now = world.told(&maja).await;
    assert_eq!((now.len(), now[0].name.as_str(), now[0].may_end), (1, "Anna", true));
    let page = world.services.support_page(&owner).await.unwrap();
    assert_eq!((page.open.len(), page.live.len(), page.live[0].looks[0].times), (0, 1, 1));
    for (act, kind) in [("support.request", "support"), ("support.approve", "person"), ("support.read", "support")] {
        let of = format!(
            "audit_entries where act = '{act}' and actor_kind = '{kind}' and object_id = '{id}' and outcome = 'done'"
        );
        assert_eq!(world.stage.count(&of).await, 1, "{act}");
    }
    let both = format!(
        "audit_entries where act = 'support.read' and actor_name = 'Anna <{ANNA}>' and after ->> 'approved_by' like '%<{MAJA}>'"
    );
    assert_eq!(world.stage.count(&both).await, 1);
    assert_eq!(world.services.verify_audit(&owner).await.unwrap().broken, None, "the chain holds");

    // Out with the next request.
    world.services.end_support(&owner, id).await.unwrap();
    assert_eq!(world.look(&anna, &slug).await.unwrap_err().code, ErrorCode::Forbidden);
    assert!(world.told(&maja).await.is_empty());
    let page = world.services.support_page(&owner).await.unwrap();
    assert_eq!(page.past[0].state, SupportState::Ended);
    assert_eq!(world.services.end_support(&owner, id).await.unwrap_err().code, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_grant_ends_by_itself_and_is_not_made_longer() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    let slug = owner.frame_card().slug;
    let anna = world.ours(ANNA, "Anna").await;
    let id = world.ask(&anna, &slug).await;
    world.approve(&owner, id).await.unwrap();
    let chained = world.services.ask_support(&anna, &slug, "More", 30).await.unwrap_err();
    assert_eq!(chained.code, ErrorCode::Conflict, "not while one is live");
    assert_eq!(world.approve(&owner, id).await.unwrap_err().code, ErrorCode::Conflict, "nor approved again");
    world.stage.sql("update support_grants set ends_at = clock_timestamp()").await;
    assert_eq!(world.look(&anna, &slug).await.unwrap_err().code, ErrorCode::Forbidden);
    assert_eq!(world.services.support_page(&owner).await.unwrap().past[0].state, SupportState::Over);
    // A new one is asked for, and refused; nobody is worn down by asking.
    for n in 0..4 {
        let id = world.ask(&anna, &slug).await;
        world.services.refuse_support(&owner, id).await.unwrap();
        assert_eq!(world.look(&anna, &slug).await.unwrap_err().code, ErrorCode::Forbidden, "{n}");
    }
    let often = world.services.ask_support(&anna, &slug, "Again", 30).await.unwrap_err();
    assert_eq!(often.code, ErrorCode::RateLimited);
}

#[tokio::test]
async fn only_an_owner_decides_and_only_admins_see_the_list() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    let slug = owner.frame_card().slug;
    let anna = world.ours(ANNA, "Anna").await;
    let id = world.ask(&anna, &slug).await;
    for (email, role) in [("joe@nordmark.example", Role::Admin), ("eva@nordmark.example", Role::Viewer)] {
        let member = world.stage.member(&owner, email, role).await;
        let seat = world.stage.seat(&member).await;
        for refused in [
            world.approve(&seat, id).await,
            world.services.refuse_support(&seat, id).await,
            world.services.end_support(&seat, id).await,
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden, "{role:?}");
        }
        let listed = world.services.support_page(&seat).await;
        assert_eq!(listed.is_ok(), role == Role::Admin, "{role:?}");
        assert!(!world.told(&member).await.iter().any(|now| now.may_end));
    }
    assert!(world.stage.count("audit_entries where act = 'support.approve' and outcome = 'refused'").await >= 2);

    // An owner whose sign-in is long ago confirms it first; and a command on the machine is no owner.
    world.stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let tired = world.stage.sign_in(MAJA, PASSWORD).await.unwrap();
    world.stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let tired = world.stage.seat(&tired).await;
    assert_eq!(world.approve(&tired, id).await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    let command = world.services.operator_seat(&slug, "a command").await.unwrap();
    assert_eq!(world.approve(&command, id).await.unwrap_err().code, ErrorCode::Forbidden);
    world.approve(&owner, id).await.unwrap();
}

#[tokio::test]
async fn anothers_request_is_not_there() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    let other = world.stage.owner("Acme", "ada@acme.example").await;
    let anna = world.ours(ANNA, "Anna").await;
    let id = world.ask(&anna, &owner.frame_card().slug).await;
    for nobodys in [id, SupportGrantId(Uuid::now_v7())] {
        let errors = [
            world.approve(&other, nobodys).await,
            world.services.refuse_support(&other, nobodys).await,
            world.services.end_support(&other, nobodys).await,
        ];
        assert!(errors.into_iter().all(|error| error.unwrap_err().code == ErrorCode::NotFound));
    }
    assert!(world.services.support_page(&other).await.unwrap().open.is_empty());
    world.approve(&owner, id).await.unwrap();
    let elsewhere = world.look(&anna, &other.frame_card().slug).await.unwrap_err();
    assert_eq!(elsewhere.code, ErrorCode::Forbidden, "let in to one workspace is let in to no other");
    assert_eq!(world.look(&anna, "nowhere").await.unwrap_err().code, ErrorCode::NotFound);
    let ben = world.ours("ben@clarity.example", "Ben").await;
    let slug = owner.frame_card().slug;
    assert_eq!(world.look(&ben, &slug).await.unwrap_err().code, ErrorCode::Forbidden, "and nobody else of ours");
    world.services.disable_ops_user(ANNA).await.unwrap();
    assert_eq!(
        world.look(&anna, &slug).await.unwrap_err().code,
        ErrorCode::NotFound,
        "whoever is disabled finds nothing"
    );
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_read() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    with_source(&world, &owner).await;
    let slug = owner.frame_card().slug;
    let anna = world.ours(ANNA, "Anna").await;
    let id = world.ask(&anna, &slug).await;
    world.approve(&owner, id).await.unwrap();
    assert_eq!(world.look(&anna, &slug).await.unwrap(), 1);
    world.stage.sql("alter table audit_entries add constraint no_more check (act <> 'support.read') not valid").await;
    assert_eq!(world.look(&anna, &slug).await.unwrap_err().code, ErrorCode::Internal);
    world.stage.sql("alter table audit_entries drop constraint no_more").await;
    assert_eq!(world.look(&anna, &slug).await.unwrap(), 1);
}

#[tokio::test]
async fn no_request_stands_of_which_owners_are_not_told() {
    let world = World::new().await;
    let owner = world.stage.owner("Nordmark", MAJA).await;
    let slug = owner.frame_card().slug;
    let anna = world.ours(ANNA, "Anna").await;
    // The letter fails as late as it can.
    world
        .stage
        .sql(
            "create function public.no_post() returns trigger language plpgsql
               as $$ begin raise exception 'no letter is taken'; end $$;
             grant execute on function public.no_post() to public;
             create constraint trigger no_post after insert on auth.mails deferrable initially deferred
               for each row when (new.kind = 'support_request') execute function public.no_post()",
        )
        .await;
    assert!(world.services.ask_support(&anna, &slug, "Case 7", 30).await.is_err());
    assert_eq!(world.stage.count("support_grants").await, 0);
    assert_eq!(world.stage.count("audit_entries where act = 'support.request'").await, 0);
    world.stage.sql("drop trigger no_post on auth.mails").await;
    world.ask(&anna, &slug).await;
    assert_eq!(world.stage.count("auth.mails where kind = 'support_request'").await, 1);
}

#[tokio::test]
async fn what_our_own_people_do_at_their_doors_is_written_down() {
    let world = World::new().await;
    let anna = world.ours(ANNA, "Anna").await;
    for (email, password) in [(ANNA, "not the password"), ("nobody@clarity.example", PASSWORD)] {
        assert!(world.sign_in(email, password, "000000").await.is_err());
    }
    world.services.ops_sign_out(&anna).await.unwrap();
    world.services.disable_ops_user(ANNA).await.unwrap();
    for (what, count) in [
        ("act = 'add' and outcome = 'done'", 1),
        ("act = 'enrol' and outcome = 'done'", 1),
        ("act = 'sign_in' and outcome = 'done'", 1),
        ("act = 'sign_in' and outcome = 'refused' and ops_user_id is not null", 1),
        ("act = 'sign_in' and outcome = 'refused' and ops_user_id is null", 1),
        ("act = 'sign_out' and outcome = 'done'", 1),
        ("act = 'disable' and outcome = 'done'", 1),
    ] {
        assert_eq!(world.stage.count(&format!("auth.ops_events where {what}")).await, count, "{what}");
    }
    let auth = clarity_testkit::cluster::connect(&world.stage.db.url(DbRole::Auth.name())).await.unwrap();
    for sql in ["delete from auth.ops_events", "update auth.ops_events set outcome = 'done'"] {
        let refused = auth.batch_execute(sql).await.expect_err(sql);
        assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{sql}");
    }
}

#[tokio::test]
async fn our_own_people_read_what_they_all_did() {
    let world = World::new().await;
    let anna = world.ours(ANNA, "Anna").await;
    world.ours("ben@clarity.example", "Ben").await;
    assert!(world.sign_in("nobody@clarity.example", PASSWORD, "000000").await.is_err());
    let read = async |filter: OpsEventFilter| {
        let query = OpsEventQuery { filter, ..OpsEventQuery::default() };
        world.services.ops_events(&anna, &query).await.unwrap()
    };
    let page = read(OpsEventFilter::default()).await;
    let told: Vec<_> = page
        .rows
        .iter()
        .map(|row| (row.act, row.outcome, row.who.as_ref().map_or("nobody", |who| who.name.as_str())))
        .collect();
    let (done, refused) = (Outcome::Done, Outcome::Refused);
    assert_eq!(
        told,
        [
            (OpsAct::SignIn, refused, "nobody"),
            (OpsAct::SignIn, done, "Ben"),
            (OpsAct::Enrol, done, "Ben"),
            (OpsAct::Add, done, "Ben"),
            (OpsAct::SignIn, done, "Anna"),
            (OpsAct::Enrol, done, "Anna"),
            (OpsAct::Add, done, "Anna"),
        ],
        "the newest first"
    );
    assert_eq!((page.older, page.newer), (None, None));
    for (filter, count) in [
        (OpsEventFilter { person: Some("BEN@".into()), ..OpsEventFilter::default() }, 3),
        // Nothing in it is a pattern.
        (OpsEventFilter { person: Some("%".into()), ..OpsEventFilter::default() }, 0),
        (OpsEventFilter { act: Some(OpsAct::SignIn), ..OpsEventFilter::default() }, 3),
        (OpsEventFilter { outcome: Some(refused), ..OpsEventFilter::default() }, 1),
    ] {
        assert_eq!(read(filter.clone()).await.rows.len(), count, "{filter:?}");
    }

    // Older than all of these, and more than two pages hold.
    world
        .stage
        .sql(
            "insert into auth.ops_events (id, act, outcome)
               select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'sign_out', 'done'
               from generate_series(1, 100) n",
        )
        .await;
    let turned = async |before: Option<OpsEventId>, after: Option<OpsEventId>| {
        let query = OpsEventQuery { before, after, ..OpsEventQuery::default() };
        let page = world.services.ops_events(&anna, &query).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        (ids, page.newer, page.older)
    };
    let first = turned(None, None).await;
    assert_eq!((first.0.len(), first.1), (50, None));
    let second = turned(first.2, None).await;
    let third = turned(second.2, None).await;
    assert_eq!((second.0.len(), third.0.len(), third.2), (50, 7, None));
    assert_eq!(turned(None, third.1).await.0, second.0, "and back");
    assert_eq!(turned(None, second.1).await.0, first.0);
    assert_eq!(turned(None, first.0.first().copied()).await.0, first.0, "nothing newer has come");

    // Whoever's session has ended reads nothing.
    world.services.ops_sign_out(&anna).await.unwrap();
    let after = world.services.ops_events(&anna, &OpsEventQuery::default()).await.unwrap();
    assert!(after.rows.is_empty());
}

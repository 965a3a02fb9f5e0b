//! Makes letters of every kind be sent, by what sends them to people: a use case, never a row put into the table.

use axum::http::header;
use clarity_domain::ids::PasskeyId;
use clarity_domain::plan::{Limit, Standing};
use clarity_domain::role::Role;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{Client, FirstStep, Seat, SignIn, Visitor, plan_notice};
use clarity_store::AuthStore;
use clarity_store::auth::workspace;
use uuid::Uuid;

use super::super::world::{Caller, Ours, World};
use super::app;
use crate::deletion::erase;
use crate::stage::{PASSWORD, Stage};

pub const OWNER: &str = "owner@nordmark.example";
const ADMIN: &str = "admin@nordmark.example";
const VIEWER: &str = "viewer@nordmark.example";
/// Nobody's: no account is kept under them.
const STRANGERS: &str = "plant.example";
/// What a device answers to a question of its own, signed beforehand for <https://clarity.example>.
const ANSWERS: &str = include_str!("../../../../../crates/service/tests/it/passkeys/answers.json");

/// Whether the workspace is gone when this kind was sent.
pub fn ends_its_workspace(kind: &str) -> bool {
    kind == "workspace_deleted"
}

/// What a kind's sending changes so that another's would go otherwise, as it was before. What the process itself remembers
/// stays: nobody is sent more than five letters of some kinds at once, however often the world is put back.
pub const AS_IT_WAS: &str = "
  delete from auth.mails;
  delete from auth.email_changes;
  delete from auth.password_resets;
  delete from auth.totp;
  delete from auth.recovery_codes;
  delete from auth.passkeys;
  delete from auth.passkey_ceremonies;
  delete from auth.pending_sign_ins;
  delete from auth.ownership_offers;
  delete from auth.deletions;
  delete from auth.sso_connections;
  update auth.memberships set break_glass = false where break_glass;
  update auth.users set failed_sign_ins = 0, sign_in_blocked_until = null";

/// Has a letter of this kind sent; whom it is about. `round`: how many were sent before, for what may be asked once.
pub async fn send(world: &World, kind: &str, round: usize) -> String {
    // On the heap: what sends a letter is a lot of state.
    match kind {
        "confirm_sign_up" | "account_exists" | "reset_password" | "password_changed" => {
            Box::pin(account(world, kind, round)).await
        }
        "invitation" | "ownership_offer" => Box::pin(membership(world, kind, round)).await,
        "second_factor_added" | "second_factor_removed" | "second_factor_reset" | "recovery_code_used" => {
            Box::pin(second_factor(world, kind)).await
        }
        "passkey_added" | "passkey_removed" => Box::pin(passkey(world, kind)).await,
        "confirm_email" | "email_wanted" | "email_change_asked" | "email_changed" => {
            Box::pin(email_change(world, kind, round)).await
        }
        "deletion_requested" | "deletion_cancelled" | "workspace_deleted" => Box::pin(deletion(world, kind)).await,
        "plan_notice" => plan(world).await,
        "support_request" => support(world).await,
        "break_glass" => Box::pin(break_glass(world)).await,
        other => panic!("nobody knows how {other} is sent"),
    }
}

async fn account(world: &World, kind: &str, round: usize) -> String {
    let services = &world.stage.services;
    let whom = match kind {
        "confirm_sign_up" => format!("new{round}@{STRANGERS}"),
        "account_exists" => VIEWER.to_owned(),
        "password_changed" => ADMIN.to_owned(),
        // Nobody is sent more than five at once.
        _ => [VIEWER, ADMIN, OWNER, "operator@nordmark.example"][round % 4].to_owned(),
    };
    match kind {
        "reset_password" => services.ask_password_reset(&whom, &client()).await.unwrap(),
        "password_changed" => {
            know_passwords(world).await;
            let (old, new) = (PASSWORD.to_owned(), "four other words here".to_owned());
            services.change_password(&member(world, Role::Admin).await, old, new, &client()).await.unwrap();
        }
        _ => services.ask_sign_up(&whom, &client()).await.unwrap(),
    }
    whom
}

async fn membership(world: &World, kind: &str, round: usize) -> String {
    let services = &world.stage.services;
    if kind == "invitation" {
        let whom = format!("asked{round}@{STRANGERS}");
        return services.invite(&seat(world, Role::Admin).await, &whom, Role::Viewer).await.unwrap();
    }
    let admin = member(world, Role::Admin).await.session().expect("a session").user.id;
    services.offer_ownership(&seat(world, Role::Owner).await, admin).await.unwrap();
    ADMIN.to_owned()
}

async fn second_factor(world: &World, kind: &str) -> String {
    let services = &world.stage.services;
    let admin = member(world, Role::Admin).await;
    match kind {
        "second_factor_added" => {
            let secret = services.begin_enrolment(&admin).await.unwrap().secret;
            services.confirm_enrolment(&admin, &app::code(&secret), &client()).await.unwrap();
        }
        "second_factor_removed" => {
            give_app(world, ADMIN).await;
            services.remove_second_factor(&admin, &client()).await.unwrap();
        }
        "second_factor_reset" => {
            give_app(world, ADMIN).await;
            services.reset_second_factor(ADMIN, "lost the phone", "https://clarity.example").await.unwrap();
        }
        _ => {
            know_passwords(world).await;
            give_app(world, ADMIN).await;
            let codes = services.new_recovery_codes(&admin, &client()).await.unwrap();
            sign_in(world, ADMIN, &codes[0]).await;
        }
    }
    ADMIN.to_owned()
}

async fn passkey(world: &World, kind: &str) -> String {
    let services = &world.stage.services;
    let admin = member(world, Role::Admin).await;
    if kind == "passkey_added" {
        let answers: serde_json::Value = serde_json::from_str(ANSWERS).expect("readable");
        services.begin_passkey(&admin).await.unwrap();
        // From now on the question that waits is the one that was answered.
        let challenge = &answers["challenge"];
        let sql =
            format!("update auth.passkey_ceremonies set state = jsonb_set(state, '{{rs,challenge}}', '{challenge}')");
        world.stage.sql(&sql).await;
        services.add_passkey(&admin, "iPhone", &answers["phone"].to_string(), &client()).await.unwrap();
    } else {
        let id = Uuid::now_v7();
        let sql = format!(
            "insert into auth.passkeys (id, user_id, credential_id, credential, name)
               select '{id}', id, '\\x00', '{{}}', 'iPhone' from auth.users where email = '{ADMIN}'"
        );
        world.stage.sql(&sql).await;
        services.remove_passkey(&admin, PasskeyId(id), &client()).await.unwrap();
    }
    ADMIN.to_owned()
}

/// Everybody has the address again that they had before it was changed.
pub const AS_THEY_WERE: &str = "
  update auth.users set email = split_part(email, '-', 1) || '@nordmark.example' where email like '%-another-%@plant.example'";

/// Whoever asks for another address in this round: where a member knocks, they themselves, else somebody whom they are not.
fn asker(round: usize) -> Caller {
    match Caller::ALL[round] {
        member @ (Caller::Member(_) | Caller::Limited) => member,
        Caller::Anonymous | Caller::Expired | Caller::Revoked | Caller::Stranger => {
            Caller::Member([Role::Viewer, Role::Operator, Role::Admin, Role::Owner][round % 4])
        }
    }
}

async fn email_change(world: &World, kind: &str, round: usize) -> String {
    let services = &world.stage.services;
    world.stage.sql(AS_THEY_WERE).await;
    let person = visitor(world, asker(round)).await;
    let old = person.session().expect("a session").user.email.clone();
    let (name, _) = old.split_once('@').expect("an address");
    // In the first round a viewer asks, and an admin's address is wanted.
    let new = if kind == "email_wanted" { ADMIN.to_owned() } else { format!("{name}-another-{round}@{STRANGERS}") };
    services.ask_email_change(&person, &new, &client()).await.unwrap();
    match kind {
        "confirm_email" | "email_wanted" => new,
        "email_changed" => {
            let sql = "select body_text from auth.mails where kind = 'confirm_email' order by created_at desc limit 1";
            let text: String = world.stage.db.admin().await.query_one(sql, &[]).await.expect("a letter").get(0);
            let (_, rest) = text.split_once("/email/").expect("a link");
            let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
            services.change_email(&person, &token, &client()).await.unwrap();
            old
        }
        _ => old,
    }
}

async fn deletion(world: &World, kind: &str) -> String {
    let services = &world.stage.services;
    world.stage.sql("update legal_holds set lifted_by = placed_by, lifted_at = now()").await;
    let owner = seat(world, Role::Owner).await;
    services.request_deletion(&owner, &owner.frame_card().name).await.unwrap();
    match kind {
        "deletion_cancelled" => services.cancel_deletion(&owner).await.unwrap(),
        "workspace_deleted" => {
            world.stage.sql("update auth.deletions set due_at = now() - interval '1 second'").await;
            erase(&world.stage).await;
            services.post_certificates().await.unwrap();
        }
        _ => {}
    }
    OWNER.to_owned()
}

/// As ingest does, which has no visitor.
async fn plan(world: &World) -> String {
    let (db, role) = (&world.stage.db, DbRole::Auth);
    let login = DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
    let auth = AuthStore::connect(&login, 1).await.unwrap();
    let mut tx = auth.begin().await.unwrap();
    let scope = workspace::find_owner_seat(&mut tx, "nordmark").await.unwrap().expect("an owner").scope;
    tx.commit().await.unwrap();
    plan_notice::tell_owners(&auth, &scope, Limit::EventsPerMonth, Standing::Reached).await.unwrap();
    OWNER.to_owned()
}

async fn support(world: &World) -> String {
    let cookie = format!("clarity_ops={}", world.ours(Ours::Outside).await);
    let mut request = Stage::form("/api/ops/ask", "slug=nordmark&reason=A+case&minutes=30");
    request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    let status = world.stage.send(request).await.status();
    assert!(!status.is_client_error() && !status.is_server_error(), "{status}");
    OWNER.to_owned()
}

/// An owner signs in by password where single sign-on is asked for.
async fn break_glass(world: &World) -> String {
    know_passwords(world).await;
    let owner = member(world, Role::Owner).await;
    give_app(world, OWNER).await;
    let codes = world.stage.services.new_recovery_codes(&owner, &client()).await.unwrap();
    let sql = format!(
        "insert into auth.sso_connections
             (id, workspace_id, issuer, client_id, client_secret_box, default_role, enabled, required, created_by)
           select gen_random_uuid(), w.id, 'https://login.plant.example', 'c', '\\x00', 'viewer', true, true, u.id
           from auth.workspaces w, auth.users u where w.slug = 'nordmark' and u.email = '{OWNER}';
         update auth.memberships m set break_glass = true
           from auth.workspaces w, auth.users u
           where m.workspace_id = w.id and m.user_id = u.id and w.slug = 'nordmark' and u.email = '{OWNER}'"
    );
    world.stage.sql(&sql).await;
    sign_in(world, OWNER, &codes[0]).await;
    // Members come in as they did: the link is tried by all of them.
    world.stage.sql("update auth.sso_connections set required = false").await;
    OWNER.to_owned()
}

/// By password and a recovery code.
async fn sign_in(world: &World, email: &str, code: &str) {
    let form = SignIn { email: email.into(), password: PASSWORD.into() };
    let pending = match world.stage.services.sign_in(form, &client()).await.unwrap() {
        FirstStep::CodeNeeded(pending) => pending,
        FirstStep::SignedIn(_) => panic!("{email} was asked for no code"),
    };
    world.stage.services.finish_sign_in(&pending.token, code, &client()).await.unwrap();
}

/// From now on everybody's password is the tests'.
async fn know_passwords(world: &World) {
    world.stage.sign_up("Keys", "keys@plant.example").await;
    let sql = "update auth.users set password_hash = (select password_hash from auth.users where email = 'keys@plant.example')";
    world.stage.sql(sql).await;
}

/// An app whose codes nobody can make: its person has recovery codes.
async fn give_app(world: &World, email: &str) {
    let sql = format!(
        "insert into auth.totp (user_id, secret_box, confirmed_at)
           select id, '\\x00', now() from auth.users where email = '{email}'"
    );
    world.stage.sql(&sql).await;
}

async fn visitor(world: &World, caller: Caller) -> Visitor {
    let token = world.session(caller).await;
    world.stage.services.visitor(token.as_deref()).await.unwrap()
}

async fn member(world: &World, role: Role) -> Visitor {
    visitor(world, Caller::Member(role)).await
}

async fn seat(world: &World, role: Role) -> Seat {
    world.stage.services.enter(&member(world, role).await, "nordmark", &client()).await.unwrap()
}

fn client() -> Client {
    Client { address: "192.0.2.1".into(), user_agent: Some("test".into()), request_id: None }
}

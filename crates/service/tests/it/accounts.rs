//! Signing up, in and out, and whose workspace it is.

use std::time::Duration;

use crate::stage::{PASSWORD, Stage, client};
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Role;
use clarity_runtime::clock::now_us;
use clarity_service::{ConfirmSession, Limits, Visitor};

#[tokio::test]
async fn signing_up_makes_a_workspace_with_all_it_needs() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark Foundries", " Maja@Nordmark.Example ").await.unwrap();
    assert_eq!(signed_in.session.user.email, "maja@nordmark.example");
    let visitor = stage.visitor(&signed_in).await;
    let seat = stage.services.enter(&visitor, "nordmark-foundries", &client()).await.unwrap();
    assert_eq!(seat.role(), Role::Owner);
    let frame = stage.services.frame(&visitor, &seat).await.unwrap();
    assert_eq!((frame.sites, frame.assets, frame.workspace.name.as_str()), (1, 0, "Nordmark Foundries"));
    assert_eq!(stage.count("audit_entries where act = 'workspace.create'").await, 1);
    let stored = "auth.users where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(stage.count(stored).await, 1);
    assert_eq!(stage.count(&format!("auth.sessions where encode(token_hash, 'hex') = '{}'", signed_in.token)).await, 0);
}

#[tokio::test]
async fn a_password_that_was_hashed_otherwise_is_hashed_anew_when_its_person_signs_in() {
    let stage = Stage::new().await;
    stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let today = "auth.users where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
    let less = Params::new(8 * 1024, 1, 1, None).unwrap();
    let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, less).hash_password(PASSWORD.as_bytes());
    let old = old.map(|hash: PasswordHash| hash.to_string()).unwrap();
    stage.sql(&format!("update auth.users set password_hash = '{old}'")).await;
    assert_eq!(stage.count(today).await, 0);
    stage.sign_in("maja@nordmark.example", "another long password").await.err().expect("a wrong password");
    assert_eq!(stage.count(today).await, 0, "who does not know it changes nothing");
    stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    assert_eq!(stage.count(today).await, 1);
    stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn the_clock_that_ours_is_compared_with_is_the_databases() {
    let stage = Stage::new().await;
    // One machine: a second is for what a busy one needs.
    let apart = stage.auth.clock_us().await.unwrap() - now_us();
    assert!(apart.abs() < 1_000_000, "{apart}");
}

#[tokio::test]
async fn a_taken_slug_gets_a_suffix() {
    let stage = Stage::new().await;
    stage.sign_up("Nordmark", "a@nordmark.example").await.unwrap();
    let second = stage.sign_up("Nordmark", "b@nordmark.example").await.unwrap();
    let slug = &second.session.workspaces[0].slug;
    assert!(slug.starts_with("nordmark-") && slug.len() == 13, "{slug}");
}

#[tokio::test]
async fn an_address_with_an_account_is_answered_alike_and_written_to_otherwise() {
    let stage = Stage::new().await;
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    for email in ["maja@nordmark.example", "new@nordmark.example"] {
        stage.services.ask_sign_up(email, &client()).await.unwrap();
    }
    assert_eq!(stage.count("auth.sign_ups").await, 1, "a link for the new one alone");
    let (known, text) = stage.last_letter("maja@nordmark.example").await;
    let (new, _) = stage.last_letter("new@nordmark.example").await;
    assert_ne!(known, new);
    assert!(text.contains("https://clarity.example/sign-in") && !text.contains("/confirm/"), "{text}");
}

#[tokio::test]
async fn a_command_adds_a_workspace_for_the_right_password_only() {
    let stage = Stage::new().await;
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let error = stage.command("Two", "maja@nordmark.example", "another long password").await.err().unwrap();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("email")));
    assert_eq!(stage.count("auth.workspaces").await, 1, "nothing is left of it");
    assert_eq!(stage.count("sites").await, 1);
    assert!(!stage.command("Two", "maja@nordmark.example", PASSWORD).await.unwrap());
    assert_eq!((stage.count("auth.users").await, stage.count("auth.workspaces").await), (1, 2));
}

#[tokio::test]
async fn a_link_makes_one_account_and_no_other_does() {
    let stage = Stage::new().await;
    let first = stage.sign_up_token("maja@nordmark.example").await.unwrap();
    let second = stage.sign_up_token("maja@nordmark.example").await.unwrap();
    assert_eq!(stage.services.find_sign_up(&first).await.unwrap(), "maja@nordmark.example");
    assert_eq!(stage.count(&format!("auth.sign_ups where encode(token_hash, 'hex') = '{first}'")).await, 0);
    // What is wrong in the form does not use the link up.
    assert!(stage.confirm(&first, "One", "short").await.is_err());
    let (one, other) = futures::join!(stage.confirm(&first, "One", PASSWORD), stage.confirm(&second, "One", PASSWORD));
    let lost = [one.err(), other.err()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(lost.iter().map(|e| e.code).collect::<Vec<_>>(), [ErrorCode::NotFound]);
    assert_eq!((stage.count("auth.users").await, stage.count("auth.workspaces").await), (1, 1));
    assert_eq!(stage.count("auth.users where email_verified_at is not null").await, 1);
    let tampered = first.replace(&first[..1], if first.starts_with('0') { "1" } else { "0" });
    for ended in [first.as_str(), second.as_str(), tampered.as_str(), "", "x", "%00"] {
        let error = stage.services.find_sign_up(ended).await.err().unwrap();
        let again = stage.confirm(ended, "One", PASSWORD).await.err().unwrap();
        assert_eq!((error.code, &error), (ErrorCode::NotFound, &again), "{ended:?}");
    }
    let old = stage.sign_up_token("joe@nordmark.example").await.unwrap();
    stage.sql("update auth.sign_ups set expires_at = now() - interval '1 second'").await;
    assert_eq!(stage.confirm(&old, "One", PASSWORD).await.err().unwrap().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_mailbox_is_not_filled_by_asking() {
    let stage = Stage::new().await;
    for _ in 0..8 {
        stage.services.ask_sign_up("maja@nordmark.example", &client()).await.unwrap();
    }
    assert_eq!(stage.count("auth.mails").await, 5);
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_signs_nobody_in() {
    let stage = Stage::new().await;
    let email = "maja@nordmark.example";
    let signed_in = stage.sign_up("One", email).await.unwrap();
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let mut tokens = Vec::new();
    for count in [1, 2] {
        stage.services.ask_password_reset(email, &client()).await.unwrap();
        stage.comes_to("auth.password_resets", count).await;
        tokens.push(stage.token_in_letter(email, "/reset/").await);
    }
    let token = tokens[0].clone();
    assert_eq!(stage.services.find_password_reset(&token).await.unwrap().email, email);
    let new = "another four plain words";
    let wrong = stage.services.reset_password(&token, email.into(), &client()).await.err().unwrap();
    assert_eq!(wrong.field.as_deref(), Some("password"), "and the link is still good");
    stage.services.reset_password(&token, new.into(), &client()).await.unwrap();
    assert!(stage.visitor(&signed_in).await.session().is_none());
    assert!(stage.visitor(&joe).await.session().is_some(), "nobody else's");
    assert!(stage.sign_in(email, PASSWORD).await.is_err());
    stage.sign_in(email, new).await.unwrap();
    for ended in tokens.iter().map(String::as_str).chain(["", "0"]) {
        let error =
            stage.services.reset_password(ended, "four more plain words".into(), &client()).await.err().unwrap();
        assert_eq!(error.code, ErrorCode::NotFound);
    }
    let (subject, text) = stage.last_letter(email).await;
    assert!(subject.contains("password") && !tokens.iter().any(|token| text.contains(token)), "{subject}: {text}");
    for act in ["password.ask_reset", "password.reset"] {
        assert!(stage.count(&format!("audit_entries where act = '{act}'")).await >= 1, "{act}");
    }
}

async fn reset(stage: &Stage, email: &str, new: &str) -> Result<(), AppError> {
    let token = stage.token_in_letter(email, "/reset/").await;
    stage.services.reset_password(&token, new.into(), &client()).await
}

#[tokio::test]
async fn an_old_password_makes_no_session_that_outlives_a_reset() {
    let stage = Stage::new().await;
    let email = "maja@nordmark.example";
    stage.sign_up("One", email).await.unwrap();
    for (old, new) in [(PASSWORD, "another four plain words"), ("another four plain words", PASSWORD)] {
        stage.services.ask_password_reset(email, &client()).await.unwrap();
        stage.comes_to("auth.password_resets", 1).await;
        // At once: whoever comes first, nobody is in by the old password when the new one is set.
        let signing_in = futures::future::join_all((0..2).map(|_| stage.sign_in(email, old)));
        let (done, came) = futures::join!(reset(&stage, email, new), signing_in);
        done.unwrap();
        for signed_in in came.into_iter().flatten() {
            assert!(stage.visitor(&signed_in).await.session().is_none(), "made before, and ended with the rest");
        }
        assert_eq!(stage.count("auth.sessions where revoked_at is null").await, 0);
        assert!(stage.sign_in(email, old).await.is_err());
        stage.sign_in(email, new).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_that_was_replaced_while_it_was_compared_opens_nothing() {
    let stage = Stage::new().await;
    let email = "maja@nordmark.example";
    stage.sign_up("One", email).await.unwrap();
    let before = stage.count("auth.sessions").await;
    // The attempt is counted, then the password compared: in between another one is set.
    let replaced = "
      create function auth.set_another() returns trigger language plpgsql as $$
        begin
          new.password_hash := old.password_hash || 'x';
          return new;
        end $$;
      create trigger set_another before update on auth.users for each row
        when (new.failed_sign_ins > old.failed_sign_ins) execute function auth.set_another();";
    stage.sql(replaced).await;
    let late = stage.sign_in(email, PASSWORD).await.err().unwrap();
    assert_eq!((late.code, late.field.as_deref()), (ErrorCode::Invalid, Some("password")));
    assert_eq!(stage.count("auth.sessions").await, before, "no session was made");
    // It was the right one as it was read.
    stage
        .sql("drop trigger set_another on auth.users; update auth.users set password_hash = left(password_hash, -1)")
        .await;
    stage.sign_in(email, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_reset_link_that_is_too_old_and_is_tried_stands_in_the_log() {
    let stage = Stage::new().await;
    let email = "maja@nordmark.example";
    stage.sign_up("One", email).await.unwrap();
    stage.services.ask_password_reset(email, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let token = stage.token_in_letter(email, "/reset/").await;
    stage.sql("update auth.password_resets set expires_at = now()").await;
    let over = stage.services.reset_password(&token, "another four plain words".into(), &client()).await;
    assert_eq!(over.err().unwrap().code, ErrorCode::NotFound);
    stage.comes_to("audit_entries where act = 'password.reset' and outcome = 'refused'", 1).await;
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let stage = Stage::new().await;
    let email = "maja@nordmark.example";
    let here = stage.sign_up("One", email).await.unwrap();
    let there = stage.sign_in(email, PASSWORD).await.unwrap();
    let visitor = stage.visitor(&here).await;
    let new = "another four plain words";
    let change = async |current: &str, new: &str| {
        stage.services.change_password(&visitor, current.into(), new.into(), &client()).await
    };
    let wrong = change("not the password", new).await.unwrap_err();
    assert_eq!((wrong.code, wrong.field.as_deref()), (ErrorCode::Invalid, Some("current")));
    for weak in ["1q2w3e4r5t6y", "nordmark-2026!"] {
        assert_eq!(change(PASSWORD, weak).await.unwrap_err().field.as_deref(), Some("password"), "{weak}");
    }
    change(PASSWORD, new).await.unwrap();
    assert!(stage.visitor(&here).await.session().is_some() && stage.visitor(&there).await.session().is_none());
    assert!(stage.sign_in(email, PASSWORD).await.is_err());
    stage.sign_in(email, new).await.unwrap();
    assert!(stage.last_letter(email).await.0.contains("changed"));
    assert_eq!(stage.count("audit_entries where act = 'password.change' and outcome = 'done'").await, 1);
    let nobody = stage.services.change_password(&Visitor::Anonymous, PASSWORD.into(), new.into(), &client()).await;
    assert_eq!(nobody.unwrap_err().code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn wherever_a_password_is_chosen_it_is_not_the_workspaces_name() {
    let stage = Stage::new().await;
    let email = "maja@foundry.example";
    let token = stage.sign_up_token(email).await.unwrap();
    let names = "Kettlewell 2026!";
    let error = stage.confirm(&token, "Kettlewell Steel", names).await.err().unwrap();
    assert!(
        error.field.as_deref() == Some("password") && error.message.contains("names that others know"),
        "{error:?}"
    );
    let maja = stage.confirm(&token, "Kettlewell Steel", PASSWORD).await.unwrap();
    let visitor = stage.visitor(&maja).await;
    let changed = stage.services.change_password(&visitor, PASSWORD.into(), names.into(), &client()).await;
    assert_eq!(changed.unwrap_err().field.as_deref(), Some("password"));
    stage.services.ask_password_reset(email, &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    let reset = stage.token_in_letter(email, "/reset/").await;
    let error = stage.services.reset_password(&reset, names.into(), &client()).await.err().unwrap();
    assert_eq!(error.field.as_deref(), Some("password"));
    let command = stage.command("Kettlewell Steel", "joe@foundry.example", names).await.err().unwrap();
    assert_eq!(command.field.as_deref(), Some("password"));
    stage.sign_in(email, PASSWORD).await.unwrap();
}

/// Somebody who changed nothing for years signs in as before, and is not asked to change anything.
#[tokio::test]
async fn a_password_does_not_grow_old() {
    let stage = Stage::new().await;
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    stage.sql("update auth.users set created_at = now() - interval '5 years'").await;
    let signed_in = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    assert_eq!(stage.seat(&signed_in).await.role(), Role::Owner);
    let columns = "information_schema.columns where table_schema = 'auth' and table_name = 'users' \
                   and column_name ~ 'password_(set|changed|expires|at|until)'";
    assert_eq!(stage.count(columns).await, 0, "no age of a password is kept");
}

#[tokio::test]
async fn asking_for_a_new_password_tells_nothing() {
    let stage = Stage::new().await;
    stage.services.ask_password_reset("nobody@nordmark.example", &client()).await.unwrap();
    let error = stage.services.ask_password_reset("nonsense", &client()).await.err().unwrap();
    assert_eq!(error.field.as_deref(), Some("email"));
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    stage.services.ask_password_reset("maja@nordmark.example", &client()).await.unwrap();
    stage.comes_to("auth.password_resets", 1).await;
    assert_eq!(stage.count("auth.mails where to_address like 'nobody%'").await, 0);
}

#[tokio::test]
async fn forms_say_which_field_is_wrong() {
    let stage = Stage::new().await;
    let error = stage.services.ask_sign_up("nonsense", &client()).await.err().unwrap();
    assert_eq!(error.field.as_deref(), Some("email"));
    let token = stage.sign_up_token("a@b.example").await.unwrap();
    for (workspace, password, field) in
        [(" ", PASSWORD, "workspace"), ("One", "short", "password"), ("One\u{202e}", PASSWORD, "workspace")]
    {
        let error = stage.confirm(&token, workspace, password).await.err().unwrap();
        assert_eq!(error.field.as_deref(), Some(field), "{error:?}");
    }
    assert_eq!(stage.count("auth.workspaces").await, 0);
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down_whether_the_account_exists_or_not() {
    let stage = Stage::new().await;
    stage.sign_up("One", "known@nordmark.example").await.unwrap();
    let mut answers = Vec::new();
    for email in ["known@nordmark.example", "unknown@nordmark.example"] {
        // Waits double, so a slow machine cannot outlast them.
        let mut of_this: Vec<(ErrorCode, String, Option<String>)> = Vec::new();
        while of_this.last().is_none_or(|(code, ..)| *code != ErrorCode::RateLimited) {
            let error = stage.sign_in(email, "not the password").await.err().unwrap();
            let words = error.message.replace(|c: char| c.is_ascii_digit(), "").replace("seconds", "second");
            of_this.push((error.code, words, error.field));
            assert!(of_this.len() <= 12, "{of_this:?}");
        }
        assert!(of_this.len() > 5, "five mistakes are free: {of_this:?}");
        of_this.dedup();
        answers.push(of_this);
    }
    assert_eq!(answers[0], answers[1], "waiting and words tell nothing of the account");
    stage.sql("update auth.users set sign_in_blocked_until = now() + interval '1 minute'").await;
    let right = stage.sign_in("known@nordmark.example", PASSWORD).await.err().unwrap();
    assert_eq!(right.code, ErrorCode::RateLimited, "while it waits, the right password is not looked at either");
    stage.sql("update auth.users set sign_in_blocked_until = now() - interval '1 second'").await;
    stage.sign_in("known@nordmark.example", PASSWORD).await.unwrap();
    assert_eq!(stage.count("auth.users where failed_sign_ins = 0 and sign_in_blocked_until is null").await, 1);
}

#[tokio::test]
async fn an_address_that_nobody_has_is_counted_where_an_accounts_attempts_are() {
    let stage = Stage::new().await;
    stage.sign_up("One", "known@nordmark.example").await.unwrap();
    for email in ["known@nordmark.example", "unknown@nordmark.example"] {
        stage.sign_in(email, "not the password").await.err().unwrap();
    }
    assert_eq!(stage.count("auth.users where failed_sign_ins = 1").await, 1);
    assert_eq!(stage.count("auth.strangers where failed_sign_ins = 1").await, 1, "and what was typed is not kept");
    stage.sql("update auth.strangers set sign_in_blocked_until = now() + interval '1 minute'").await;
    let waits = stage.sign_in("unknown@nordmark.example", "not the password").await.err().unwrap();
    assert_eq!(waits.code, ErrorCode::RateLimited, "by the database's word, whichever server is asked");
}

#[tokio::test]
async fn a_hundred_guesses_at_once_count_as_a_hundred() {
    let stage = Stage::new().await;
    stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let guesses = (0..20).map(|n| {
        let stage = &stage;
        async move { stage.sign_in("maja@nordmark.example", &format!("guess number {n}")).await.err().map(|e| e.code) }
    });
    let codes = futures::future::join_all(guesses).await;
    let looked_at = codes.iter().filter(|c| **c == Some(ErrorCode::Invalid)).count();
    assert!(looked_at <= 6, "{looked_at} guesses were looked at");
}

#[tokio::test]
async fn a_network_may_not_try_without_end() {
    let stage = Stage::new().await;
    let mut last = None;
    for n in 0..61 {
        // Malformed, so that no password is hashed.
        last = stage.sign_in(&format!("no-address-{n}"), "x").await.err().map(|e| e.code);
    }
    assert_eq!(last, Some(ErrorCode::RateLimited));
}

#[tokio::test]
async fn a_session_ends_by_sign_out_by_idling_and_by_age() {
    let stage = Stage::new().await;
    let first = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let ends = [
        "update auth.sessions set last_seen_at = now() - interval '12 hours 1 minute'",
        "update auth.sessions set expires_at = now() - interval '1 second'",
    ];
    for end in ends {
        let signed_in = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
        assert!(stage.visitor(&signed_in).await.session().is_some());
        stage.sql(end).await;
        assert!(stage.visitor(&signed_in).await.session().is_none(), "{end}");
    }
    assert!(stage.visitor(&first).await.session().is_none());
    let signed_in = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    let seat = stage.seat(&signed_in).await;
    assert!(stage.services.still_seated(&seat).await.unwrap());
    stage.services.sign_out(&visitor, &client()).await.unwrap();
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "an open connection sees it too");
    assert!(stage.visitor(&signed_in).await.session().is_none());
    assert!(stage.services.visitor(Some("0")).await.unwrap().session().is_none());
}

#[tokio::test]
async fn a_command_makes_a_workspace_and_signs_nobody_in() {
    let stage = Stage::new().await;
    assert!(!stage.command("Demo plant", "owner@demo.example", PASSWORD).await.unwrap());
    assert_eq!(stage.count("auth.workspaces where slug = 'demo-plant'").await, 1);
    // Whatever the password is by now.
    assert!(stage.command("Demo plant", "owner@demo.example", "another long password").await.unwrap(), "it is there");
    assert_eq!((stage.count("auth.workspaces").await, stage.count("auth.sessions").await), (1, 0));
}

#[tokio::test]
async fn a_person_ends_their_own_sessions_and_nobody_elses() {
    let stage = Stage::new().await;
    let joe = stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let first = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let second = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    let third = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    let here = stage.visitor(&third).await;
    let open = stage.services.open_sessions(&here).await.unwrap().sessions;
    assert_eq!(open.len(), 3);
    assert_eq!(open.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false, false]);
    // The second sign-in is the newer of the other two.
    let seat = stage.services.enter(&stage.visitor(&second).await, "nordmark", &client()).await.unwrap();
    stage.services.end_session(&here, open[1].id, &client()).await.unwrap();
    assert!(stage.visitor(&second).await.session().is_none(), "out with the next request");
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "and an open connection sees it");
    assert!(stage.visitor(&first).await.session().is_some());
    // Somebody else's session is not there.
    let theirs = stage.services.open_sessions(&stage.visitor(&joe).await).await.unwrap().sessions;
    stage.services.end_session(&here, theirs[0].id, &client()).await.unwrap();
    assert!(stage.visitor(&joe).await.session().is_some());
    stage.services.end_other_sessions(&here, &client()).await.unwrap();
    assert!(stage.visitor(&first).await.session().is_none());
    assert!(stage.visitor(&third).await.session().is_some() && stage.visitor(&joe).await.session().is_some());
    assert_eq!(stage.services.open_sessions(&here).await.unwrap().sessions.len(), 1);
    let written = "audit_entries where act like 'session.end%' and object_kind = 'session' and object_name <> ''";
    assert_eq!(stage.count(written).await, 2, "what was ended is written down, what was not is not");
    let nobody = stage.services.open_sessions(&Visitor::Anonymous).await.err().unwrap();
    assert_eq!(nobody.code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn ending_sessions_asks_who_it_is_again() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let other = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    stage.sql("update auth.sessions set confirmed_at = now() - interval '16 minutes'").await;
    let here = stage.visitor(&maja).await;
    let open = stage.services.open_sessions(&here).await.unwrap().sessions;
    assert_eq!(open.len(), 2, "they are seen");
    for refused in [
        stage.services.end_session(&here, open[1].id, &client()).await,
        stage.services.end_other_sessions(&here, &client()).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::ConfirmNeeded);
    }
    assert!(stage.visitor(&other).await.session().is_some());
    let form = ConfirmSession { password: PASSWORD.into(), code: None };
    stage.services.confirm_session(&here, form, &client()).await.unwrap();
    let here = stage.visitor(&maja).await;
    stage.services.end_session(&here, open[1].id, &client()).await.unwrap();
    assert!(stage.visitor(&other).await.session().is_none());
}

#[tokio::test]
async fn pages_ask_who_it_is_before_anything_is_typed() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    for (ago, confirmed) in [("16 minutes", false), ("14 minutes", true)] {
        stage.sql(&format!("update auth.sessions set confirmed_at = now() - interval '{ago}'")).await;
        let seat = stage.seat(&signed_in).await;
        let services = &stage.services;
        assert_eq!(services.api_access(&seat).await.unwrap().confirmed, confirmed, "{ago}");
        assert_eq!(services.members(&seat).await.unwrap().confirmed, confirmed, "{ago}");
        assert_eq!(services.domains(&seat).await.unwrap().confirmed, confirmed, "{ago}");
        assert_eq!(services.sso(&seat).await.unwrap().confirmed, confirmed, "{ago}");
    }
}

#[tokio::test]
async fn somebody_elses_workspace_reads_as_not_there() {
    let stage = Stage::new().await;
    let maja = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    stage.sign_up("Acme", "joe@acme.example").await.unwrap();
    let visitor = stage.visitor(&maja).await;
    let foreign = stage.services.enter(&visitor, "acme", &client()).await.err().unwrap();
    let missing = stage.services.enter(&visitor, "nothing", &client()).await.err().unwrap();
    assert_eq!((foreign.code, &foreign), (ErrorCode::NotFound, &missing));
    let anonymous = stage.services.enter(&Visitor::Anonymous, "acme", &client()).await.err().unwrap();
    assert_eq!(anonymous.code, ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn a_change_of_role_holds_at_once() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&signed_in).await;
    stage.sql("update auth.memberships set role = 'viewer'").await;
    assert!(!stage.services.still_seated(&seat).await.unwrap(), "an open connection has the old role");
    let seat = stage.seat(&signed_in).await;
    assert_eq!(seat.role(), Role::Viewer);
    assert_eq!(stage.services.begin_pairing(&seat).await.err().unwrap().code, ErrorCode::Forbidden);
    assert!(stage.services.sources(&seat).await.is_ok(), "a viewer may look");
    stage.sql("delete from auth.memberships").await;
    let visitor = stage.visitor(&signed_in).await;
    assert!(visitor.session().is_some_and(|session| session.workspaces.is_empty()), "still somebody");
    assert_eq!(stage.services.enter(&visitor, "one", &client()).await.err().unwrap().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_request_that_took_its_time_is_looked_at_again() {
    let stage = Stage::with(Limits { seats_hold: Duration::ZERO, ..Limits::default() }).await;
    let signed_in = stage.sign_up("One", "maja@nordmark.example").await.unwrap();
    let visitor = stage.visitor(&signed_in).await;
    stage.sql("update auth.memberships set role = 'viewer'").await;
    assert_eq!(stage.services.enter(&visitor, "one", &client()).await.unwrap().role(), Role::Viewer);
    stage.sql("update auth.sessions set revoked_at = now()").await;
    assert_eq!(stage.services.enter(&visitor, "one", &client()).await.err().unwrap().code, ErrorCode::NotFound);
}

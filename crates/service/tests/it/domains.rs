//! Domains of a workspace: who may touch them, what DNS has to show, and what is said when it shows something else.

use clarity_domain::domains::DomainProblem;
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::DomainId;
use clarity_domain::role::Role;
use clarity_domain::view::domains::WorkspaceDomain;
use clarity_service::{Limits, OutgoingSettings, Seat};
use clarity_testkit::TestDb;
use hickory_resolver::proto::rr::RecordType;
use uuid::Uuid;

use crate::name_server::{Answer, NameServer};
use crate::stage::Stage;

async fn with_names() -> (Stage, NameServer) {
    let names = NameServer::start().await;
    let outgoing = OutgoingSettings { resolver: Some(names.address), ..OutgoingSettings::default() };
    let stage = Stage::reaching(TestDb::new().await, Limits::default(), "a test's", outgoing).await;
    (stage, names)
}

async fn only(stage: &Stage, seat: &Seat) -> WorkspaceDomain {
    let mut all = stage.services.domains(seat).await.unwrap().domains;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Checks it, whenever it was checked last, and gives it as it stands after that.
async fn check(stage: &Stage, seat: &Seat, id: DomainId) -> WorkspaceDomain {
    stage.sql("update workspace_domains set last_checked_at = null").await;
    stage.services.check_domain(seat, id).await.unwrap();
    only(stage, seat).await
}

#[tokio::test]
async fn a_domain_is_the_workspaces_own_once_its_dns_shows_it() {
    let (stage, names) = with_names().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let id = stage.services.add_domain(&seat, " Nordmark.COM. ").await.unwrap();
    let domain = only(&stage, &seat).await;
    assert_eq!((domain.domain.as_str(), domain.verified_at, domain.last_checked_at), ("nordmark.com", None, None));
    assert_eq!(domain.record_name, "_clarity-challenge.nordmark.com");
    let token = domain.record_value.strip_prefix("clarity-stream=").unwrap();
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    assert_eq!(names.asked(&domain.record_name, RecordType::TXT), 0, "adding asks nobody");

    // Each way of not finding it has its own words.
    let longer = format!("{}0", domain.record_value);
    for (answer, problem, found) in [
        (Answer::Nothing, DomainProblem::Nothing, None),
        (Answer::Texts(Vec::new()), DomainProblem::Nothing, None),
        (Answer::text("v=spf1 -all"), DomainProblem::Other, Some("v=spf1 -all")),
        (Answer::text(&longer), DomainProblem::Other, Some(longer.as_str())),
        (Answer::Failure, DomainProblem::Failed, None),
        (Answer::Silence, DomainProblem::Slow, None),
    ] {
        names.say(&domain.record_name, vec![answer]);
        let checked = check(&stage, &seat, id).await;
        assert_eq!((checked.problem, checked.found.as_deref()), (Some(problem), found));
        assert!(checked.verified_at.is_none() && checked.last_checked_at.is_some(), "{problem:?}");
    }

    // Among others, and in parts, as long texts are.
    let (front, back) = domain.record_value.split_at(20);
    let texts = Answer::Texts(vec![vec!["v=spf1 -all".into()], vec![front.into(), back.into()]]);
    names.say(&domain.record_name, vec![texts]);
    let shown = check(&stage, &seat, id).await;
    assert_eq!((shown.problem, shown.found), (None, None));
    let since = shown.verified_at.expect("the workspace's own");

    // That nobody can say takes nothing away; that it is gone does.
    names.say(&domain.record_name, vec![Answer::Failure]);
    let unsure = check(&stage, &seat, id).await;
    assert_eq!((unsure.verified_at, unsure.problem), (Some(since), Some(DomainProblem::Failed)));
    names.say(&domain.record_name, vec![Answer::Nothing]);
    assert_eq!(check(&stage, &seat, id).await.verified_at, None);

    let told = "audit_entries where object_kind = 'domain' and object_name = 'nordmark.com'";
    assert_eq!(stage.count(&format!("{told} and act = 'domain.add'")).await, 1);
    assert_eq!(stage.count(&format!("{told} and act = 'domain.verify'")).await, 9);
    let won = format!("{told} and before->>'verified' = 'false' and after->>'verified' = 'true'");
    let lost = format!("{told} and before->>'verified' = 'true' and after->>'verified' = 'false'");
    assert_eq!((stage.count(&won).await, stage.count(&lost).await), (1, 1));
}

#[tokio::test]
async fn a_check_has_its_time() {
    let (stage, names) = with_names().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let id = stage.services.add_domain(&seat, "nordmark.com").await.unwrap();
    stage.services.check_domain(&seat, id).await.unwrap();
    let asked = names.asked("_clarity-challenge.nordmark.com", RecordType::TXT);
    let refused = stage.services.check_domain(&seat, id).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.message.contains("Check again in"), "{}", refused.message);
    assert_eq!(names.asked("_clarity-challenge.nordmark.com", RecordType::TXT), asked);
}

#[tokio::test]
async fn what_nobody_owns_is_not_added_and_one_domain_once() {
    let (stage, _names) = with_names().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    for wrong in
        ["", "nordmark", "10.0.0.5", "１０.０.０.５", "https://nordmark.com", "gmail.com", "Outlook.com", "plant.local"]
    {
        let refused = stage.services.add_domain(&seat, wrong).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("domain")), "{wrong}");
    }
    stage.services.add_domain(&seat, "bücher.de").await.unwrap();
    assert_eq!(only(&stage, &seat).await.domain, "xn--bcher-kva.de");
    let again = stage.services.add_domain(&seat, "XN--BCHER-KVA.de").await.unwrap_err();
    assert_eq!((again.code, again.field.as_deref()), (ErrorCode::Conflict, Some("domain")));
    for n in 1..20 {
        stage.services.add_domain(&seat, &format!("werk{n}.nordmark.com")).await.unwrap();
    }
    let many = stage.services.add_domain(&seat, "werk20.nordmark.com").await.unwrap_err();
    assert_eq!(many.code, ErrorCode::LimitExceeded);
}

#[tokio::test]
async fn domains_are_an_owners_and_another_workspaces_are_not_there() {
    let (stage, names) = with_names().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let services = &stage.services;
    let id = services.add_domain(&owner, "nordmark.com").await.unwrap();
    for refused in [
        services.domains(&admin).await.map(drop),
        services.add_domain(&admin, "werk.com").await.map(drop),
        services.check_domain(&admin, id).await,
        services.remove_domain(&admin, id).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    assert_eq!(stage.count("audit_entries where object_kind = 'domain' and outcome = 'refused'").await, 3);

    // A company may have two workspaces: each shows it by its own text, and neither's counts for the other.
    let other = stage.owner("Acme", "joe@acme.example").await;
    let theirs = services.add_domain(&other, "nordmark.com").await.unwrap();
    let own = only(&stage, &owner).await;
    assert_ne!(own.record_value, only(&stage, &other).await.record_value);
    names.say(&own.record_name, vec![Answer::text(&own.record_value)]);
    assert!(check(&stage, &owner, id).await.verified_at.is_some());
    assert_eq!(check(&stage, &other, theirs).await.problem, Some(DomainProblem::Other));
    for foreign in [theirs, DomainId(Uuid::now_v7())] {
        for missing in [services.check_domain(&owner, foreign).await, services.remove_domain(&owner, foreign).await] {
            let missing = missing.unwrap_err();
            let words = "This domain does not exist, or you have no access to it.";
            assert_eq!((missing.code, missing.message.as_str()), (ErrorCode::NotFound, words));
        }
    }
}

#[tokio::test]
async fn changing_domains_needs_somebody_who_has_just_shown_that_it_is_them() {
    let (stage, _names) = with_names().await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&signed_in).await;
    let id = stage.services.add_domain(&seat, "nordmark.com").await.unwrap();
    stage.sql("update auth.sessions set confirmed_at = now() - interval '1 hour'").await;
    let stale = stage.seat(&signed_in).await;
    assert_eq!(stage.services.remove_domain(&stale, id).await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    assert_eq!(stage.services.add_domain(&stale, "other.com").await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    assert_eq!(stage.services.check_domain(&stale, id).await.unwrap_err().code, ErrorCode::ConfirmNeeded);
    stage.services.remove_domain(&seat, id).await.unwrap();
    assert!(stage.services.domains(&seat).await.unwrap().domains.is_empty());
    let told = "audit_entries where act = 'domain.remove' and before->>'domain' = 'nordmark.com' and outcome = 'done'";
    assert_eq!(stage.count(told).await, 1);
}

//! Masked values at every door: whatever a viewer opens, and whatever a program with a viewer's token asks, tells no canary.
//! The owner, who sees through the masks, is told them: the doors do lead to the values. Event streams: see `streams`.

use axum::body::Body;
use axum::http::{Request, header};
use clarity_domain::role::Role;

use super::matrix::{Kind, May};
use super::world::{Caller, TokenIs, World};
use super::{doors, filled, is_meant, is_whole, knock};
use crate::stage::text;

/// Texts and numbers that only masked fields hold, the last of them one that is masked by its tag.
const CANARIES: [&str; 3] = ["zqhidden", "73519.25", "64207.5"];

pub const DATA: &str = r#"
  insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec)
    select workspace_id, id, id, 1, 0, 0,
           '{"kind": "states", "key": [], "asset": "machine_id", "time": "ts", "asset_name": "title", "asset_line": "line",
             "states": {"state": "state", "reason": "reason"}}'
    from streams;
  update assets set key = 'zqhidden key ' || number, name = 'zqhidden name', line = 'zqhidden line';
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    select workspace_id, id, 1, id, 'speed', 'Speed', 'rpm', 'float' from streams
    union all
    select workspace_id, gen_random_uuid(), 2, id, 'value[Torque]', 'Torque', 'Nm', 'float' from streams;
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select workspace_id, id, 1, now(), 1, 1, '{1,2}', array[now(), now()], '{false,false}', array[73519.25, 64207.5] from streams;
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, reason, epoch, seq)
    select s.workspace_id, a.number, now() - interval '10 minutes', null, s.id, 'zqhidden state', 'down', 'zqhidden reason', 1, a.number
    from streams s join assets a on a.workspace_id = s.workspace_id;
  insert into dead_letters (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
    select workspace_id, source_id, 1, 1, name, 'aa', 'no such unit', 'zqhidden 73519.25', 1, 0 from streams;
  insert into masking_policies (workspace_id, id, stream, field, rule, place, least_role, created_by, created_by_name)
    select w.id, gen_random_uuid(), '*', p.field, '{"kind": "hide"}', 'view', 'owner', gen_random_uuid(), 'Maja'
    from auth.workspaces w,
         (values ('speed'), ('Torque'), ('machine_id'), ('title'), ('line'), ('state'), ('reason')) as p (field);"#;

pub fn told(body: &str) -> Option<&'static str> {
    CANARIES.into_iter().find(|canary| body.contains(canary))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_door_tells_a_viewer_what_is_masked() {
    let world = World::new().await;
    world.stage.sql(DATA).await;
    let mut findings = Vec::new();
    let mut owners = Vec::new();
    for door in doors().filter(|door| matches!(door.kind, Kind::Page | Kind::Read | Kind::Other)) {
        for role in [Role::Viewer, Role::Admin, Role::Owner] {
            let token = world.session(Caller::Member(role)).await;
            let answer = knock(&world.stage, door, token.as_deref(), &world.own).await;
            match (role, told(&answer.body)) {
                (Role::Owner, Some(_)) => owners.push(door.path),
                (Role::Owner, None) | (_, None) => {}
                (_, Some(canary)) => findings.push(format!("{} as {role:?} tells {canary}", door.path)),
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    for path in
        ["/w/{slug}", "/w/{slug}/dead-letters", "/api/overview/read", "/api/dead_letters/list", "/api/search/find"]
    {
        assert!(
            owners.contains(&path) || !is_meant(path),
            "{path} tells not even an owner: it would prove nothing; {owners:?}"
        );
    }
}

#[tokio::test]
async fn no_operation_of_the_api_tells_a_viewers_token_what_is_masked() {
    let world = World::new().await;
    world.stage.sql(DATA).await;
    // No program is more than an operator.
    world.stage.sql("update masking_policies set least_role = 'operator'").await;
    let mut tried = 0;
    for door in doors() {
        let (Kind::Api, May::Token(scope)) = (door.kind, door.may) else { continue };
        let (path, sent) = (filled(door.path, &world.own), filled(door.sent, &world.own));
        for role in ["viewer", "operator"] {
            let bearer = world.bearer("nordmark", scope.as_str(), TokenIs::Live).await;
            world
                .stage
                .sql(&format!("update auth.service_accounts set role = '{role}' where name <> 'nordmark'"))
                .await;
            let with_query = if sent.is_empty() { path.clone() } else { format!("{path}?{sent}") };
            let request = Request::get(with_query).header(header::AUTHORIZATION, format!("Bearer {bearer}"));
            let (status, body) = text(world.stage.send(request.body(Body::empty()).expect("a request")).await).await;
            assert!(status.is_success(), "{} as {role}: {status} {body}", door.path);
            let values = door.path.starts_with("/api/v1/assets");
            match (role, told(&body)) {
                ("viewer", Some(canary)) => panic!("{} tells {canary}: {body}", door.path),
                ("operator", None) if values => {
                    panic!("{} tells not even an operator: it would prove nothing", door.path)
                }
                _ => tried += 1,
            }
        }
    }
    assert!(tried >= 10 || !is_whole(), "{tried}");
}

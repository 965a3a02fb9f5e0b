//! What is masked: the policies, who applies them, and the two changes, making one and removing one.
//!
//! A mask at the agent changes what comes from now on. So it is refused where nothing could be made of what is left: for the
//! columns that say which machine a row is of and when, and for measured values as text. And of records without a key all but
//! hashes are refused: they would become one. A tag, which is what rows name their metric, is masked in views alone: an agent
//! masks by column, and which of them holds tags is known here and not there.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::SourceId;
use clarity_domain::mapping::{MappingSpec, SampleType, StreamKind};
use clarity_domain::masking::{ANY_STREAM, MAX_NAME, MaskPlace, MaskPolicy, MaskRule, rest_of, tag_of};
use clarity_domain::role::{Permission, Role};
use clarity_domain::view::masking::{MaskRow, MaskableStream, Masking};
use clarity_runtime::clock::now_us;
use clarity_store::StoreError;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::masking::{self as store, AgentMasks, Live, Maskable};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{fault, missing};
use crate::{Seat, Services};

/// Policies of a workspace: what goes to an agent has to fit into one message.
const POLICIES: usize = 200;
/// Tags of a stream that the form suggests; any other can be typed.
const SUGGESTED: usize = 500;

/// A mask that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewMask {
    /// `*`, or a source's id and a stream's name or `*`, with a blank between them.
    pub of: String,
    pub field: String,
    /// As [`MaskRule::read`] takes them.
    pub rule: String,
    pub amount: String,
    pub place: MaskPlace,
    /// Of a view: who still sees it in the clear.
    pub least_role: Option<Role>,
}

impl Services {
    /// The policies with the agents that apply them, and what could be masked.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn masking(&self, seat: &Seat) -> Result<Masking, AppError> {
        self.permit(seat, Permission::ManageMasking, Act::ReadMasking, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let policies = store::list_with_makers(&mut tx).await.map_err(fault)?;
        let agents = store::list_agents(&mut tx).await.map_err(fault)?;
        let maskable = store::list_maskable(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Masking {
            as_of: now_us(),
            policies: policies.into_iter().map(|live| show(live, &agents, &maskable)).collect(),
            streams: maskable
                .into_iter()
                .map(|of| MaskableStream {
                    tags: tags(&of).take(SUGGESTED).map(|(_, tag)| tag.to_owned()).collect(),
                    source_id: of.source,
                    source: of.source_name,
                    stream: of.stream,
                    fields: of.columns,
                })
                .collect(),
        })
    }

    /// Masks a field from now on.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for what cannot be masked so; `NotFound` for a source that is not there; `LimitExceeded`.
    pub async fn add_mask(&self, seat: &Seat, form: NewMask) -> Result<Uuid, AppError> {
        let field = form.field.trim().to_owned();
        let object = Object { kind: "mask", id: "", name: &field };
        self.permit(seat, Permission::ManageMasking, Act::AddMask, object).await?;
        let rule = MaskRule::read(&form.rule, &form.amount).ok_or_else(|| {
            AppError::invalid("amount", "Say how many characters stay, from 1 to 255, or how wide a step is, above 0.")
        })?;
        if field.is_empty() || field.chars().count() > MAX_NAME || field.chars().any(char::is_control) {
            return Err(AppError::invalid("field", "Name a column, or a path inside one such as detail.phone."));
        }
        let (source_id, stream) = read_of(&form.of)?;
        let least_role = match (form.place, form.least_role) {
            (MaskPlace::Agent, _) => None,
            (MaskPlace::View, Some(role @ (Role::Operator | Role::Admin | Role::Owner))) => Some(role),
            (MaskPlace::View, _) => {
                return Err(AppError::invalid("least_role", "Choose who still sees it in the clear."));
            }
        };
        let policy = MaskPolicy {
            id: Uuid::now_v7(),
            source_id,
            stream,
            field: field.clone(),
            rule,
            place: form.place,
            least_role,
        };
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let maskable = store::list_maskable(&mut tx).await.map_err(fault)?;
        check(&policy, &maskable)?;
        if store::list_live(&mut tx).await.map_err(fault)?.len() >= POLICIES {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                "This workspace has many masks. Mask a whole document in place of its parts, or remove one.",
            ));
        }
        store::add(&mut tx, &policy, seat.user_id, &seat.actor.name).await.map_err(|error| match error {
            StoreError::Conflict(_) => {
                AppError::invalid("field", "This field is masked there already. Remove that mask first.")
            }
            other => fault(other),
        })?;
        let id = policy.id.to_string();
        let after = Some(words(&policy, &maskable));
        let entry = Entry { after, ..seat.entry(Act::AddMask, Object { id: &id, ..object }) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(policy.id)
    }

    /// Stops masking a field: what comes from then on is in the clear again, what was masked stays as it is.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` for one that is removed already, or another workspace's.
    pub async fn remove_mask(&self, seat: &Seat, id: Uuid) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "mask", id: &text, name: "" };
        self.permit_recent(seat, Permission::ManageMasking, Act::RemoveMask, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let maskable = store::list_maskable(&mut tx).await.map_err(fault)?;
        let policy = store::remove(&mut tx, id, seat.user_id).await.map_err(missing("mask"))?;
        let before = Some(words(&policy, &maskable));
        let entry = Entry { before, ..seat.entry(Act::RemoveMask, Object { name: &policy.field, ..object }) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// What a form says of source and stream.
fn read_of(of: &str) -> Result<(Option<SourceId>, String), AppError> {
    let wrong = || AppError::invalid("of", "Choose a stream.");
    if of == ANY_STREAM {
        return Ok((None, ANY_STREAM.to_owned()));
    }
    let (source, stream) = of.split_once(' ').ok_or_else(wrong)?;
    let source = source.parse().map_err(|_| wrong())?;
    if stream.is_empty() || stream.chars().count() > MAX_NAME || stream.chars().any(char::is_control) {
        return Err(wrong());
    }
    Ok((Some(source), stream.to_owned()))
}

/// Whether there is such a field, and something can be made of what the mask leaves of it.
fn check(policy: &MaskPolicy, maskable: &[Maskable]) -> Result<(), AppError> {
    if let Some(source) = policy.source_id
        && !maskable.iter().any(|of| of.source == source)
    {
        return Err(AppError::not_found("source"));
    }
    let concerned: Vec<&Maskable> = maskable
        .iter()
        .filter(|of| of.stream.as_ref().is_some_and(|stream| policy.concerns(of.source, stream)))
        .collect();
    // A name with a slip in it would mask nothing, and nobody would notice.
    let has_it = |of: &&Maskable| of.columns.iter().any(|column| rest_of(&policy.field, column).is_some());
    let columns_are_known = concerned.iter().any(|of| !of.columns.is_empty());
    let is_column = concerned.iter().any(has_it);
    let tagged = concerned.iter().find_map(|of| tags(of).find(|(_, tag)| rest_of(tag, &policy.field).is_some()));
    if columns_are_known && !is_column && tagged.is_none() {
        let message = format!("No stream that is chosen has a column {0}, nor a tag {0}.", policy.field);
        return Err(AppError::invalid("field", message));
    }
    if policy.place == MaskPlace::Agent
        && !is_column
        && let Some((column, _)) = tagged
    {
        return Err(AppError::invalid("field", whole_columns(&policy.field, column)));
    }
    if policy.place == MaskPlace::View {
        return Ok(());
    }
    for of in concerned {
        let (stream, Some(spec)) = (of.stream.as_deref().unwrap_or_default(), &of.spec) else { continue };
        if let Some(message) = refusal(&policy.field, policy.rule, spec, stream) {
            return Err(AppError::invalid("field", message));
        }
        if has_it(&of) && makes_rows_one(policy.rule, spec) {
            return Err(AppError::invalid("field", no_key(&policy.field, stream)));
        }
    }
    Ok(())
}

/// Column and tag of what a stream's rows name themselves.
fn tags(of: &Maskable) -> impl Iterator<Item = (&str, &str)> {
    of.tagged.iter().filter_map(|column| tag_of(column))
}

fn whole_columns(tag: &str, column: &str) -> String {
    format!(
        "{tag} is a tag, and the agent masks whole columns. Mask {tag} in views, or the column {column} with all its tags at \
         the agent."
    )
}

/// Whether rows that differ could be one under the rule: without a key a record is known by all of its values, and what is
/// kept under that name is changed and removed by it. Only hashes stay as different as the values were.
fn makes_rows_one(rule: MaskRule, spec: &MappingSpec) -> bool {
    spec.kind != StreamKind::Telemetry && spec.key.is_empty() && rule != MaskRule::Hash
}

fn no_key(field: &str, stream: &str) -> String {
    format!(
        "{stream} has no key, so its rows are told apart by all their values. Without {field} different rows would become one: \
         hash it, or give the table a key."
    )
}

/// Why a column's values have to come as they are, or by another rule.
fn refusal(field: &str, rule: MaskRule, spec: &MappingSpec, stream: &str) -> Option<String> {
    if spec.kind == StreamKind::Records {
        return None;
    }
    let is = |column: Option<&String>| column.is_some_and(|column| column == field);
    if is(spec.asset.as_ref()) {
        return Some(format!("{field} says which machine a row of {stream} is of. It cannot be masked at the agent."));
    }
    if is(spec.time.as_ref()) {
        return Some(format!("{field} says when a row of {stream} was measured. It cannot be masked at the agent."));
    }
    if is(spec.metric_name.as_ref()) || is(spec.states.as_ref().map(|states| &states.state)) {
        return Some(format!("{field} says what a row of {stream} tells. It cannot be masked at the agent."));
    }
    let measured = spec.metrics.iter().find(|metric| metric.column == field).map(|metric| metric.sample_type);
    let measured = measured.or_else(|| is(spec.value.as_ref()).then_some(SampleType::Float))?;
    match rule {
        MaskRule::Hash | MaskRule::Partial { .. } if measured != SampleType::Text => Some(format!(
            "{field} of {stream} is measured, and a hash or characters are no measure. Hide it or round it."
        )),
        MaskRule::Bucket { width } if measured == SampleType::Integer && width.fract() != 0.0 => {
            Some(format!("{field} of {stream} is measured in whole numbers. Round it to whole steps."))
        }
        _ => None,
    }
}

/// For the audit log.
fn words(policy: &MaskPolicy, maskable: &[Maskable]) -> Value {
    json!({
        "source": source_name(policy, maskable).unwrap_or_else(|| "every source".to_owned()),
        "stream": policy.stream,
        "field": policy.field,
        "rule": policy.rule.words(),
        "place": policy.place.as_str(),
        "least_role": policy.least_role.map(Role::as_str),
    })
}

/// None: every source. One that is gone with its agent has its id for a name.
fn source_name(policy: &MaskPolicy, maskable: &[Maskable]) -> Option<String> {
    let id = policy.source_id?;
    let known = maskable.iter().find(|of| of.source == id).map(|of| of.source_name.clone());
    Some(known.unwrap_or_else(|| id.to_string()))
}

fn show(live: Live, agents: &[AgentMasks], maskable: &[Maskable]) -> MaskRow {
    let Live { policy, created_by, created_at, version } = live;
    let concerns = |agent: &AgentMasks| {
        policy.place == MaskPlace::Agent
            && maskable
                .iter()
                .any(|of| of.agent == agent.id && policy.source_id.is_none_or(|source| source == of.source))
    };
    let (applied, waiting): (Vec<&AgentMasks>, Vec<&AgentMasks>) =
        agents.iter().filter(|agent| concerns(agent)).partition(|agent| agent.version >= version);
    let names = |agents: Vec<&AgentMasks>| agents.into_iter().map(|agent| agent.name.clone()).collect();
    MaskRow {
        id: policy.id,
        source: source_name(&policy, maskable),
        applied: names(applied),
        waiting: names(waiting),
        stream: policy.stream,
        field: policy.field,
        rule: policy.rule,
        place: policy.place,
        least_role: policy.least_role,
        created_by,
        created_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::mapping::MetricColumn;

    fn telemetry() -> MappingSpec {
        MappingSpec {
            kind: StreamKind::Telemetry,
            key: Vec::new(),
            asset: Some("machine".into()),
            time: Some("at".into()),
            metrics: vec![MetricColumn {
                column: "pressure".into(),
                name: "Pressure".into(),
                unit: "bar".into(),
                sample_type: SampleType::Float,
            }],
            metric_name: None,
            value: None,
            unit: None,
            states: None,
            asset_name: None,
            asset_line: None,
            asset_site: None,
            asset_model: None,
        }
    }

    #[test]
    fn a_form_names_a_source_and_a_stream() {
        assert_eq!(read_of("*").unwrap(), (None, "*".to_owned()));
        let id = SourceId(Uuid::from_u128(7));
        assert_eq!(read_of(&format!("{id} public.a b")).unwrap(), (Some(id), "public.a b".to_owned()));
        for wrong in ["", "public.a", "x public.a", &format!("{id} ")] {
            assert_eq!(read_of(wrong).unwrap_err().field.as_deref(), Some("of"), "{wrong:?}");
        }
    }

    #[test]
    fn what_makes_a_row_is_not_masked_at_the_agent() {
        let spec = telemetry();
        let partial = MaskRule::Partial { keep_last: 4 };
        let refused = |field: &str, rule| refusal(field, rule, &spec, "public.t").is_some();
        assert!(refused("machine", MaskRule::Hash) && refused("at", MaskRule::Bucket { width: 60.0 }));
        assert!(refused("pressure", MaskRule::Hash) && refused("pressure", partial));
        assert!(!refused("pressure", MaskRule::Hide) && !refused("pressure", MaskRule::Bucket { width: 1.0 }));
        assert!(!refused("pressure", MaskRule::Bucket { width: 0.5 }) && !refused("operator", MaskRule::Hash));
        let mut whole = telemetry();
        whole.metrics[0].sample_type = SampleType::Integer;
        assert!(refusal("pressure", MaskRule::Bucket { width: 0.5 }, &whole, "public.t").is_some());
        assert_eq!(refusal("pressure", MaskRule::Bucket { width: 2.0 }, &whole, "public.t"), None);
        let records = MappingSpec { kind: StreamKind::Records, ..telemetry() };
        assert_eq!(refusal("machine", MaskRule::Hash, &records, "public.t"), None);
    }
}

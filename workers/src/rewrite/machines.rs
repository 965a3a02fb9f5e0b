//! Machines and sites before their read models are made anew: a masked row says less of a machine than the one before it did,
//! and what it no longer says would stay. A machine keeps its number and id; its key becomes what masked rows call it.

use super::columns::is_left_by;
use clarity_domain::mapping::MappingSpec;
use clarity_domain::masking::{KeyedHash, MaskKey, MaskPolicy, MaskRule, mask_text};
use clarity_service::keyed_hash;
use clarity_store::asset::{self, Asset};
use clarity_store::rewrite::{self as store, NewNames};
use clarity_store::stream_fields::{self, StreamFields};
use clarity_store::{StoreError, WorkspaceTx};
use std::collections::HashSet;

type Part = fn(&MappingSpec) -> Option<&str>;

/// What is done to what machines are called.
pub struct Rules {
    key: Option<MaskRule>,
    name: Option<MaskRule>,
    line: Option<MaskRule>,
    model: Option<MaskRule>,
    site: Option<MaskRule>,
}

impl Rules {
    pub async fn read(tx: &mut WorkspaceTx, policies: &[MaskPolicy]) -> Result<Self, StoreError> {
        let streams = stream_fields::list(tx).await?;
        let any = |part: Part| streams.iter().filter_map(|of| rule_of(policies, of, part)).reduce(MaskRule::stricter);
        // A key that another stream goes on writing in the clear stays: it is that stream's word.
        let naming = |of: &&StreamFields| of.specs.iter().any(|spec| spec.asset.is_some());
        let all: Option<Vec<MaskRule>> =
            streams.iter().filter(naming).map(|of| rule_of(policies, of, |spec| spec.asset.as_deref())).collect();
        Ok(Self {
            key: all.unwrap_or_default().into_iter().reduce(MaskRule::stricter),
            name: any(|spec| spec.asset_name.as_deref()),
            line: any(|spec| spec.asset_line.as_deref()),
            model: any(|spec| spec.asset_model.as_deref()),
            site: any(|spec| spec.asset_site.as_deref()),
        })
    }

    pub fn is_empty(&self) -> bool {
        [self.key, self.name, self.line, self.model, self.site].iter().all(Option::is_none)
    }
}

/// The rule for a column that any version of a stream's mapping has in this part; a column of the key is hashed.
fn rule_of(policies: &[MaskPolicy], of: &StreamFields, part: Part) -> Option<MaskRule> {
    let rule = |spec: &MappingSpec| {
        let field = part(spec)?;
        let covering = policies.iter().filter(|policy| policy.covers(of.source_id, &of.name, field));
        let rule = covering.map(|policy| policy.rule).reduce(MaskRule::stricter)?;
        Some(if spec.key.iter().any(|key| key == field) { MaskRule::Hash } else { rule })
    };
    of.specs.iter().filter_map(rule).reduce(MaskRule::stricter)
}

/// Gives machines and sites the names that masked rows leave them.
pub async fn rename(tx: &mut WorkspaceTx, rules: &Rules, key: &MaskKey) -> Result<(), StoreError> {
    let machines = asset::list(tx).await?;
    let new = names(machines, rules, &|bytes| keyed_hash(key, bytes));
    store::rename(tx, &new).await?;
    if rules.site.is_some() {
        store::rename_sites(tx).await?;
    }
    Ok(())
}

fn names(machines: Vec<Asset>, rules: &Rules, hash: KeyedHash<'_>) -> Vec<NewNames> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut new = Vec::with_capacity(machines.len());
    for machine in machines {
        let by_number = format!("machine-{}", machine.number);
        let key = match &rules.key {
            Some(rule) => left(rule, &machine.key, hash).unwrap_or_else(|| by_number.clone()),
            None => machine.key.clone(),
        };
        // Two whose rest is the same are one to the rows from now on; the older one keeps what is theirs.
        let key = if taken.insert(key.clone()) { key } else { by_number };
        let is_called_by_key = machine.name == machine.key;
        let name = if rules.name.is_some() || is_called_by_key { key.clone() } else { machine.name };
        new.push(NewNames {
            number: machine.number,
            key,
            name,
            line: if rules.line.is_some() { String::new() } else { machine.line },
            model: if rules.model.is_some() { String::new() } else { machine.model },
        });
    }
    new
}

/// A rewrite that goes on after a break finds keys that it has masked before.
fn left(rule: &MaskRule, key: &str, hash: KeyedHash<'_>) -> Option<String> {
    let masked_before = is_left_by(rule, key) || (*rule == MaskRule::Hide && key.starts_with("machine-"));
    if masked_before { Some(key.to_owned()) } else { mask_text(rule, key, hash) }
}

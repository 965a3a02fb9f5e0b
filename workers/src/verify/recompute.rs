//! What bronze says, refined in memory with the code that refines for good.

use crate::refine::catalog::StreamView;
use crate::refine::layout::Layout;
use crate::refine::numbers;
use crate::refine::prepare::merge_latest;
use crate::refine::record::Fold;
use crate::refine::walk::{Step, Walk};
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::time::{HOUR, Micros, bucket_start};
use clarity_store::WorkspaceTx;
use clarity_store::chunk::{Latest, NewChunk};
use clarity_store::refine::{self, Place};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One stream as it should be.
pub struct Expected {
    pub view: Arc<StreamView>,
    pub chunks: Vec<NewChunk>,
    /// Hours in which the chunks have rows.
    pub hours: BTreeSet<Micros>,
    pub latest: HashMap<i32, Latest>,
    pub fold: Fold,
    pub layout: Option<Arc<Layout>>,
}

/// A source as it should be at its cursor.
pub struct ExpectedSource {
    pub streams: Vec<Expected>,
    /// Letters that should stand there, replayed ones aside.
    pub dead: HashSet<Place>,
    /// Why the log could not be read to the cursor.
    pub short: Option<String>,
}

pub async fn source(tx: &mut WorkspaceTx, id: SourceId) -> anyhow::Result<ExpectedSource> {
    let end = refine::cursor::find(tx, id).await?;
    let mut walk = Walk::open(tx, id, end).await?;
    let mut streams: HashMap<StreamId, Expected> = walk
        .catalog
        .streams
        .values()
        .map(|view| {
            let expected = Expected {
                view: Arc::clone(view),
                chunks: Vec::new(),
                hours: BTreeSet::new(),
                latest: HashMap::new(),
                fold: Fold::default(),
                layout: None,
            };
            (view.id, expected)
        })
        .collect();
    let (mut dead, mut short) = (HashSet::new(), None);
    loop {
        let mut decoded = match walk.next(tx).await? {
            Step::Group(decoded) => decoded,
            Step::End => break,
            Step::Short(place) => {
                short = Some(format!("bronze ends at epoch {} sequence {}", place.epoch, place.seq));
                break;
            }
        };
        dead.extend(decoded.dead.iter().map(|l| l.at));
        let parts = numbers::take(&mut decoded);
        numbers::pretend(&mut walk.catalog, &parts);
        for samples in numbers::encode(parts, &walk.catalog).await? {
            let Some(expected) = streams.get_mut(&samples.stream) else { continue };
            expected.chunks.extend(samples.chunks);
            expected.hours.extend(samples.marks.iter().map(|m| bucket_start(m.hour, HOUR)));
            for latest in samples.latest {
                let number = latest.asset_number;
                let merged = merge_latest(expected.latest.get(&number), latest, false);
                expected.latest.insert(number, merged);
            }
        }
        for batch in decoded.streams {
            let Some(expected) = streams.get_mut(&batch.id()) else { continue };
            if let Some((epoch, seq, xid, at)) = batch.truncate {
                expected.fold.truncate(epoch, seq, xid, at);
            }
            if !batch.changes.is_empty() {
                expected.layout = batch.layout;
            }
            batch.changes.into_iter().for_each(|change| expected.fold.apply(change));
        }
    }
    dead.retain(|place| !walk.replayed.contains_key(place));
    Ok(ExpectedSource { streams: streams.into_values().collect(), dead, short })
}

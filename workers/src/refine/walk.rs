//! A source's whole log once more, for what is made anew or compared: from its beginning to a place, group by group, with
//! the mappings and fixes of today.

use super::catalog::Catalog;
use super::decode::{self, Decoded};
use super::source;
use clarity_domain::ids::SourceId;
use clarity_store::refine::Place;
use clarity_store::{WorkspaceTx, asset, dead_letter};
use std::collections::HashMap;

pub struct Walk {
    source: SourceId,
    at: Place,
    end: Place,
    pub catalog: Catalog,
    /// Events whose letters were replayed, with the mapping's version that they landed with.
    pub replayed: HashMap<Place, i32>,
}

pub enum Step {
    /// The next events. Their samples are still in them.
    Group(Decoded),
    /// The end was reached.
    End,
    /// Bronze ends here, before the end.
    Short(Place),
}

impl Walk {
    /// Stands at the beginning of the log.
    pub async fn open(tx: &mut WorkspaceTx, source: SourceId, end: Place) -> anyhow::Result<Self> {
        let replayed = dead_letter::list_replayed(tx, source).await?.into_iter().collect();
        let mut catalog = Catalog::read(tx, source).await?;
        catalog.assets = asset::list(tx).await?.into_iter().map(|a| (a.key, a.number)).collect();
        Ok(Self { source, at: Place { epoch: 1, seq: 1 }, end, catalog, replayed })
    }

    pub async fn next(&mut self, tx: &mut WorkspaceTx) -> anyhow::Result<Step> {
        while self.at < self.end {
            let segments = match source::next(tx, self.source, self.at).await? {
                Some(Ok(segments)) => segments,
                Some(Err(to)) => {
                    self.at = to;
                    continue;
                }
                None => return Ok(Step::Short(self.at)),
            };
            let end = self.end;
            let (catalog, replayed) = (std::mem::take(&mut self.catalog), std::mem::take(&mut self.replayed));
            let decoded = tokio::task::spawn_blocking(move || {
                let wanted = segments.iter().filter(|s| Place { epoch: s.epoch, seq: s.first_seq } < end);
                let opened: Vec<_> = wanted.map(decode::open).collect();
                (decode::decode(&opened, &catalog, &replayed), catalog, replayed)
            });
            let (decoded, catalog, replayed) = decoded.await?;
            (self.catalog, self.replayed) = (catalog, replayed);
            self.at = decoded.to;
            return Ok(Step::Group(decoded));
        }
        Ok(Step::End)
    }
}

//! What retention has taken from the read models: it is in bronze and rightly not in them.

use clarity_domain::retention::DataClass;
use clarity_domain::time::{DAY, Micros};
use clarity_store::{StoreError, WorkspaceTx, retention};

/// From when on each model is whole.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Samples, minutes and hours.
    pub hours_from: Micros,
    pub days_from: Micros,
    pub letters_cut: bool,
    pub states_cut: bool,
}

impl Kept {
    pub async fn read(tx: &mut WorkspaceTx) -> Result<Self, StoreError> {
        let cuts = retention::list_cuts(tx).await?;
        // What comes late for the day after a cut does not change buckets either: a site's day may begin before it.
        let from = |class| cuts.get(&class).map_or(Micros::MIN, |cut| *cut + DAY);
        let hours_from = [DataClass::Samples, DataClass::Minutes, DataClass::Hours].into_iter().map(from).max();
        let hours_from = hours_from.unwrap_or(Micros::MIN);
        Ok(Self {
            hours_from,
            days_from: hours_from.max(from(DataClass::Days)),
            letters_cut: cuts.contains_key(&DataClass::DeadLetters),
            states_cut: cuts.contains_key(&DataClass::States),
        })
    }
}

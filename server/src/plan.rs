//! `set-plan`: the platform's operator says what a workspace may use. There is no page for it, and no payment behind it yet.

use anyhow::{Context, bail};
use clarity_domain::plan::{Agreed, Limit, Plan, Terms, Unknown};
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_store::StoreError;
use clarity_store::plan::set_as_owner;
use serde_json::json;

/// Sets the plan, with what differs from it; prints what it was and what it is, as JSON.
pub async fn set(slug: &str, plan: Plan, limits: Vec<(Limit, Option<u64>)>) -> anyhow::Result<()> {
    let mut agreed = Agreed::new();
    for (limit, most) in limits {
        if agreed.insert(limit, most).is_some() {
            bail!("--limit {} was given twice", limit.as_str());
        }
    }
    let terms = Terms { plan, agreed };
    let before = match set_as_owner(&DbLogin::from_env(DbRole::Owner)?, slug, &terms).await {
        Err(StoreError::NotFound) => bail!("there is no workspace {slug:?}"),
        other => other.context("the plan was not set")?,
    };
    println!("{}", json!({ "workspace": slug, "before": before, "after": terms }));
    Ok(())
}

/// `limit=number`, or `limit=none`.
pub fn read_limit(text: &str) -> Result<(Limit, Option<u64>), String> {
    let (limit, most) = text.split_once('=').ok_or("write it as seats=20 or seats=none")?;
    let limit: Limit = limit.parse().map_err(|error: Unknown| error.to_string())?;
    match most {
        "none" => Ok((limit, None)),
        number => number.parse().map(|most| (limit, Some(most))).map_err(|_| format!("{number:?} is no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::read_limit;
    use clarity_domain::plan::Limit;

    #[test]
    fn a_limit_is_a_number_or_none() {
        assert_eq!(read_limit("seats=20"), Ok((Limit::Seats, Some(20))));
        assert_eq!(read_limit("events_per_second=none"), Ok((Limit::EventsPerSecond, None)));
        for wrong in ["seats", "seats=", "seats=-1", "chairs=4"] {
            assert!(read_limit(wrong).is_err(), "{wrong}");
        }
    }
}

//! What a page asks to follow, as it stands in the query.

use clarity_domain::error::AppError;
use clarity_domain::view::overview::OverviewQuery;
use clarity_service::live::LivePage;
use serde::Deserialize;

/// `since` may be there too: the first event has everything, so it needs no more.
#[derive(Debug, Deserialize)]
pub struct LiveQuery {
    page: String,
    range: Option<String>,
    metric: Option<String>,
    asset: Option<String>,
    number: Option<u32>,
}

impl LiveQuery {
    pub fn page(self) -> Result<LivePage, AppError> {
        match self.page.as_str() {
            "overview" => Ok(LivePage::Overview(OverviewQuery {
                range: match self.range {
                    Some(text) => Some(text.parse().map_err(|_| AppError::invalid("range", "This is no time range."))?),
                    None => None,
                },
                metric: self.metric,
                asset: match self.asset {
                    Some(text) => Some(text.parse().map_err(|_| AppError::not_found("machine"))?),
                    None => None,
                },
                page: self.number.unwrap_or(0),
            })),
            "sources" => Ok(LivePage::Sources),
            "frame" => Ok(LivePage::Frame),
            _ => Err(AppError::invalid("page", "This page cannot be followed.")),
        }
    }
}

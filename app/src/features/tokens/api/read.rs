//! Service accounts and their tokens; with the text of a new one, for the browser that asked for it.

use clarity_domain::{ids::ApiTokenId, view::tokens::ApiAccess};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "tokens/read", input = GetUrl)]
pub async fn read(slug: String, new: Option<ApiTokenId>) -> Result<Wire<ApiAccess>, PageError> {
    use crate::server::{enter, new_token, page_error};
    use clarity_domain::view::tokens::NewToken;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let mut access = services.api_access(&seat).await.map_err(page_error)?;
    // Of this workspace: the browser may have asked for one in another.
    let known = |id: &ApiTokenId| access.accounts.iter().any(|account| account.tokens.iter().any(|t| t.id == *id));
    access.new = new.filter(known).and_then(|id| Some(NewToken { id, text: new_token(&id.to_string())? }));
    Ok(Wire(access))
}

//! The page of API tokens: every service account that was not removed, with its tokens and when each was last used.

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::role::Permission;
use clarity_domain::view::tokens::{ApiAccess, ApiToken, ServiceAccount};
use clarity_runtime::clock::now_us;
use clarity_store::audit::Object;
use clarity_store::auth::api_token::{self, TokenRow};
use clarity_store::auth::service_account;

use crate::error::fault;
use crate::second_factor::is_confirmed;
use crate::{Seat, Services};

/// Tokens that are shown, ended ones with them; the newest.
const SHOWN: i64 = 1_000;

impl Services {
    /// # Errors
    /// `Forbidden`.
    pub async fn api_access(&self, seat: &Seat) -> Result<ApiAccess, AppError> {
        self.permit(seat, Permission::ManageTokens, Act::ReadTokens, Object::default()).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let accounts = service_account::list(&mut tx, &seat.scope).await.map_err(fault)?;
        let mut tokens = api_token::list(&mut tx, &seat.scope, SHOWN).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let accounts = accounts.into_iter().map(|account| {
            let (own, others): (Vec<TokenRow>, Vec<TokenRow>) =
                tokens.drain(..).partition(|token| token.account == account.id);
            tokens = others;
            ServiceAccount {
                id: account.id,
                name: account.name,
                role: account.role,
                created_by: account.created_by,
                created_at: account.created_at,
                tokens: own.into_iter().map(show).collect(),
            }
        });
        Ok(ApiAccess {
            as_of: now_us(),
            accounts: accounts.collect(),
            new: None,
            confirmed: is_confirmed(seat),
            api_url: format!("{}/api/v1", self.settings.public_url),
        })
    }
}

fn show(row: TokenRow) -> ApiToken {
    ApiToken {
        id: row.id,
        name: row.name,
        scopes: row.scopes,
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        state: row.state,
    }
}

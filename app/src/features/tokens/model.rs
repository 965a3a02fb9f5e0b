//! How tokens are said and what a form offers. Plain Rust.

use clarity_domain::{
    role::{Role, may_lend},
    scope::Scope,
    time::DAY,
    view::{
        Micros,
        tokens::{ApiToken, LIVES, TokenState},
    },
};

use crate::{
    features::members::role_name,
    ui::{checks::Check, pill::Tone},
};

/// What a form has at first.
pub const USUAL_LIFE: u32 = 90;
/// A live token that ends within this time is shown as one to replace.
const SOON: Micros = 14 * DAY;

/// Colour and word of a token's state.
pub fn state(token: &ApiToken, now: Micros) -> (Tone, &'static str) {
    match token.state {
        TokenState::Live if token.expires_at - now < SOON => (Tone::Warn, "Ends soon"),
        TokenState::Live => (Tone::Ok, "Live"),
        TokenState::Expired => (Tone::Idle, "Expired"),
        TokenState::Revoked => (Tone::Idle, "Revoked"),
    }
}

/// Every scope, as boxes to tick.
pub fn checks() -> Vec<Check> {
    Scope::ALL.into_iter().map(|scope| Check { value: scope.as_str().into(), words: scope.words().into() }).collect()
}

/// Roles that the viewer may give a service account: the word in forms, and the name.
pub fn roles(viewer: Role) -> Vec<(String, String)> {
    let lent = Role::ALL.into_iter().filter(|role| may_lend(viewer, *role));
    lent.map(|role| (role.as_str().to_owned(), role_name(role).to_owned())).collect()
}

/// How long a token may work.
pub fn lives() -> Vec<(String, String)> {
    LIVES.into_iter().map(|days| (days.to_string(), format!("{days} days"))).collect()
}

/// What to run to see the API answer.
pub fn example(api_url: &str) -> String {
    format!("curl --header \"Authorization: Bearer $CLARITY_TOKEN\" \"{api_url}/assets?limit=10\"")
}

/// "1 token", "2 tokens".
pub fn live_tokens(tokens: &[ApiToken]) -> String {
    match tokens.iter().filter(|token| token.state == TokenState::Live).count() {
        0 => "no token that works".into(),
        1 => "1 token that works".into(),
        n => format!("{n} tokens that work"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::ApiTokenId;
    use uuid::Uuid;

    fn token(state: TokenState, expires_at: Micros) -> ApiToken {
        ApiToken {
            id: ApiTokenId(Uuid::nil()),
            name: "Grafana".into(),
            scopes: vec![Scope::ReadAssets],
            created_by: "Maja".into(),
            created_at: 0,
            expires_at,
            last_used_at: None,
            state,
        }
    }

    #[test]
    fn a_token_that_ends_soon_is_told_apart() {
        assert_eq!(state(&token(TokenState::Live, 30 * DAY), 0), (Tone::Ok, "Live"));
        assert_eq!(state(&token(TokenState::Live, 30 * DAY), 17 * DAY), (Tone::Warn, "Ends soon"));
        assert_eq!(state(&token(TokenState::Expired, 0), DAY).1, "Expired");
        assert_eq!(state(&token(TokenState::Revoked, DAY), 0).1, "Revoked");
        let all = [token(TokenState::Live, DAY), token(TokenState::Revoked, DAY)];
        assert_eq!(live_tokens(&all), "1 token that works");
        assert_eq!(live_tokens(&all[1..]), "no token that works");
    }

    #[test]
    fn a_form_offers_what_the_rules_allow() {
        let words = |choices: Vec<(String, String)>| choices.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(words(roles(Role::Owner)), ["operator", "viewer"]);
        assert!(roles(Role::Operator).is_empty());
        assert!(LIVES.contains(&USUAL_LIFE) && lives().len() == LIVES.len());
        assert_eq!(checks().len(), Scope::ALL.len());
        assert!(example("https://a.example/api/v1").ends_with("\"https://a.example/api/v1/assets?limit=10\""));
    }
}

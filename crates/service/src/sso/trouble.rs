//! What can be wrong with a provider's answer: a kind for the audit log, and words for the owner who sets it up.
//!
//! Whoever only signs in is told less: they can mend nothing, and what a server of the workspace's says is not theirs to read.

use clarity_domain::error::{AppError, ErrorCode};
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError, SignatureVerificationError, StandardErrorResponse,
    UserInfoError,
};

use super::provider::CallError;

/// No token and no secret is ever in it.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// One word, as it stands in the audit log.
    pub kind: &'static str,
    /// For the owner.
    pub words: String,
}

/// The token is signed with a key that the provider has not shown yet.
pub(super) const UNKNOWN_KEY: &str = "unknown_key";

impl Trouble {
    /// For somebody who only signs in.
    pub(super) fn said(&self) -> AppError {
        AppError::new(
            ErrorCode::Unavailable,
            "The identity provider of this workspace did not answer as it should. Begin again; if it stays so, tell an owner of the workspace.",
        )
    }
}

fn trouble(kind: &'static str, words: impl Into<String>) -> Trouble {
    Trouble { kind, words: words.into() }
}

/// At most so much of what a provider says of its own failure.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

pub(super) fn no_address() -> Trouble {
    trouble("no_address", "The issuer is no web address. Copy it from the provider, such as https://login.example.com.")
}

pub(super) fn late() -> Trouble {
    trouble("late", "The provider did not answer in time. Try again in a minute.")
}

pub(super) fn busy() -> Trouble {
    trouble("busy", "Too many sign-ins wait for this provider. Try again in a minute.")
}

pub(super) fn no_token_endpoint() -> Trouble {
    trouble("no_token_endpoint", "The provider names no token endpoint. It has to offer the authorization code flow.")
}

pub(super) fn no_id_token() -> Trouble {
    trouble("no_id_token", "The provider sent no ID token. Allow the scope openid for this client.")
}

pub(super) fn no_user_info() -> Trouble {
    trouble("no_user_info", "The provider has no place that tells the e-mail address. Put it into the ID token.")
}

pub(super) fn another_party() -> Trouble {
    trouble("another_party", "The ID token was made for another client. Check the client ID.")
}

pub(super) fn another_access_token() -> Trouble {
    trouble("another_access_token", "The ID token and the access token do not belong together.")
}

pub(super) fn no_subject() -> Trouble {
    trouble("no_subject", "The ID token names nobody: its subject is empty or too long.")
}

pub(super) fn insecure() -> Trouble {
    trouble("insecure", "The provider's sign-in page is not on https.")
}

pub(super) fn of_discovery(error: &DiscoveryError<CallError>) -> Trouble {
    match error {
        DiscoveryError::Request(why) => trouble("unreachable", why.to_string()),
        DiscoveryError::Validation(why) => {
            trouble("another_issuer", format!("The provider calls itself something else: {}.", short(why)))
        }
        DiscoveryError::Response(status, ..) => trouble(
            "no_discovery",
            format!("There is no description of a provider at this issuer: the answer was {status}. Check the issuer."),
        ),
        DiscoveryError::Parse(_) => {
            trouble("unreadable", "What is at this issuer is no description of a provider. Check the issuer.")
        }
        _ => trouble("unreadable", "The provider's description could not be read. Check the issuer."),
    }
}

pub(super) fn of_token(error: &RequestTokenError<CallError, StandardErrorResponse<CoreErrorResponseType>>) -> Trouble {
    match error {
        RequestTokenError::ServerResponse(answer) => trouble(
            "code_refused",
            format!(
                "The provider refused the code: {}. Check the client ID, the secret and the redirect address.",
                short(&answer.to_string())
            ),
        ),
        RequestTokenError::Request(why) => trouble("unreachable", why.to_string()),
        _ => trouble("unreadable", "The provider's answer to the code could not be read."),
    }
}

pub(super) fn of_user_info(error: &UserInfoError<CallError>) -> Trouble {
    match error {
        UserInfoError::Request(why) => trouble("unreachable", why.to_string()),
        UserInfoError::ClaimsVerification(_) => {
            trouble("another_subject", "The provider told the address of somebody else than the ID token names.")
        }
        _ => trouble("unreadable", "The provider's answer about the person could not be read."),
    }
}

pub(super) fn of_claims(error: &ClaimsVerificationError) -> Trouble {
    use ClaimsVerificationError as E;
    match error {
        E::Expired(_) => trouble("expired", "The ID token is over. Compare the provider's clock with the time here."),
        E::InvalidAudience(_) => {
            trouble("another_audience", "The ID token is for another client. Check the client ID.")
        }
        E::InvalidIssuer(_) => trouble("another_issuer", "The ID token comes from another issuer. Check the issuer."),
        E::InvalidNonce(_) => trouble("another_nonce", "The ID token answers another sign-in. Begin again."),
        E::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            trouble(UNKNOWN_KEY, "The ID token is signed with a key that the provider does not show.")
        }
        E::SignatureVerification(SignatureVerificationError::NoSignature) => {
            trouble("no_signature", "The ID token is not signed.")
        }
        E::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_),
        ) => trouble("algorithm", "The ID token is signed in a way that is not trusted. Choose RS256 at the provider."),
        E::SignatureVerification(_) => trouble("signature", "The signature of the ID token is wrong."),
        _ => trouble("claims", "The ID token does not say what it has to."),
    }
}

//! Talking to a provider: what it says of itself, and what it says of a person.
//!
//! Every address is the tenant's word, so every request goes out by [`Outgoing`]. A token counts when its signature, issuer,
//! audience, time and nonce are right: that is the `openidconnect` crate's to say, and only algorithms with a public key are let
//! through to it. What is known of a provider, and whose turn it is to ask it: [`super::known`].

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use clarity_domain::ids::WorkspaceId;
use clarity_domain::time::Micros;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreIdToken,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AsyncHttpClient, AuthType, AuthorizationCode, ClientId,
    ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, Nonce, OAuth2TokenResponse,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, TokenResponse,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::known::Providers;
use super::trouble::{self, Trouble};
use crate::outgoing::{Outgoing, OutgoingError};

/// For all that is asked in one sign-in.
pub(super) const WHOLE: Duration = Duration::from_secs(10);

/// With a public key each: a provider that signs with the secret it shares with us, or not at all, is not believed.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider says of itself beside the standard's first edition.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Beside {
    /// RFC 9207: its answers name it.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Beside {}

pub(super) type Metadata = ProviderMetadata<
    Beside,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(super) type OurClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// How we are known to a provider.
pub(super) struct Registration {
    pub workspace: WorkspaceId,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: ClientSecret,
    pub redirect_uri: String,
}

/// What was sent with the person and has to come back with them.
pub(super) struct Sent {
    pub nonce_hash: [u8; 32],
    pub verifier: String,
}

/// Whom a provider named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    /// When they signed in there, where it says so.
    pub signed_in_at: Option<Micros>,
}

impl Providers {
    /// Exchanges the code, and reads whom the provider named.
    pub(super) async fn name(
        &self,
        outgoing: &Outgoing,
        who: &Registration,
        code: String,
        sent: Sent,
    ) -> Result<Named, Trouble> {
        let _turn = self.turn(who.workspace).await?;
        let asked = Box::pin(self.exchange(outgoing, who, code, sent));
        tokio::time::timeout(WHOLE, asked).await.map_err(|_| trouble::late())?
    }

    /// For whoever has a turn.
    async fn exchange(
        &self,
        outgoing: &Outgoing,
        who: &Registration,
        code: String,
        sent: Sent,
    ) -> Result<Named, Trouble> {
        let metadata = self.read_in_turn(outgoing, who).await?;
        let (client, http) = (client(&metadata, who)?, Http(outgoing.clone()));
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|_| trouble::no_token_endpoint())?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(sent.verifier));
        let tokens = request.request_async(&http).await.map_err(|error| trouble::of_token(&error))?;
        let id_token = tokens.id_token().ok_or_else(trouble::no_id_token)?;
        let mut named = match read_token(&client, id_token, tokens.access_token(), who, &sent.nonce_hash) {
            Err(trouble) if trouble.kind == trouble::UNKNOWN_KEY => {
                let newer = self.read_keys_again(outgoing, who).await?.ok_or(trouble)?;
                let client = self::client(&newer, who)?;
                read_token(&client, id_token, tokens.access_token(), who, &sent.nonce_hash)?
            }
            read => read?,
        };
        // Many say who somebody is in the token, and what their address is only when they are asked.
        if named.email.is_none() && metadata.userinfo_endpoint().is_some() {
            let subject = openidconnect::SubjectIdentifier::new(named.subject.clone());
            let request = client.user_info(tokens.access_token().clone(), Some(subject));
            let request = request.map_err(|_| trouble::no_user_info())?;
            let more: CoreUserInfoClaims =
                request.request_async(&http).await.map_err(|error| trouble::of_user_info(&error))?;
            named.email = more.email().map(|email| email.as_str().to_owned());
            named.email_verified = more.email_verified().unwrap_or_default();
            named.name =
                named.name.or_else(|| more.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()));
        }
        Ok(named)
    }
}

/// We, as the provider knows us.
pub(super) fn client(metadata: &Metadata, who: &Registration) -> Result<OurClient, Trouble> {
    let redirect = RedirectUrl::new(who.redirect_uri.clone()).map_err(|_| trouble::no_address())?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let by_header = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let auth = if by_header { AuthType::BasicAuth } else { AuthType::RequestBody };
    let (id, secret) = (ClientId::new(who.client_id.clone()), who.client_secret.clone());
    let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
    Ok(client.set_redirect_uri(redirect).set_auth_type(auth))
}

/// Whom the token names, when everything about it is right.
fn read_token(
    client: &OurClient,
    token: &CoreIdToken,
    access: &AccessToken,
    who: &Registration,
    nonce_hash: &[u8; 32],
) -> Result<Named, Trouble> {
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let nonce = |nonce: Option<&Nonce>| -> Result<(), String> {
        let hash = nonce.map(|nonce| <[u8; 32]>::from(Sha256::digest(nonce.secret().as_bytes())));
        let same = hash.as_ref() == Some(nonce_hash);
        if same { Ok(()) } else { Err("it answers another sign-in".to_owned()) }
    };
    let claims = token.claims(&verifier, nonce).map_err(|error| trouble::of_claims(&error))?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != who.client_id) {
        return Err(trouble::another_party());
    }
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|_| trouble::another_access_token())?;
        let key = token.signing_key(&verifier).map_err(|_| trouble::another_access_token())?;
        let hash = AccessTokenHash::from_token(access, algorithm, key);
        if hash.map_err(|_| trouble::another_access_token())? != *expected {
            return Err(trouble::another_access_token());
        }
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.chars().count() > 255 || subject.chars().any(char::is_control) {
        return Err(trouble::no_subject());
    }
    Ok(Named {
        subject: subject.to_owned(),
        email: claims.email().map(|email| email.as_str().to_owned()),
        email_verified: claims.email_verified().unwrap_or_default(),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
        signed_in_at: claims.auth_time().map(|at| at.timestamp_micros()),
    })
}

/// Our way out, as the crate asks for one.
pub(super) struct Http(pub(super) Outgoing);

/// In the words of [`crate::outgoing::OutgoingError`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CallError(pub(super) OutgoingError);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.0.send(request).await.map_err(CallError) })
    }
}

//! Identifiers. Each is a UUID of its own type, so that a source's id cannot be passed where an asset's is meant.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

id! {
    /// A tenant.
    WorkspaceId,
    /// A person with a sign-in, across workspaces.
    UserId,
    /// A sign-in of a person in one browser.
    SessionId,
    /// An installed connector.
    AgentId,
    /// One database or broker configured on an agent.
    SourceId,
    /// One table, topic or subject of a source.
    StreamId,
    /// A place with machines and a time zone.
    SiteId,
    /// A machine.
    AssetId,
    /// A one-time invitation for an agent.
    PairingId,
    /// The public half of a key that a person's device holds.
    PasskeyId,
    /// A person who was asked into a workspace by letter.
    InvitationId,
    /// A named user of the API that is no person.
    ServiceAccountId,
    /// A secret by which a service account is known.
    ApiTokenId,
    /// A group of events that could not be refined, or one of them.
    DeadLetterId,
    /// A versioned reading of a stream's columns.
    MappingId,
    /// A reason why nothing of a workspace may be removed for now.
    LegalHoldId,
    /// A domain that a workspace says is its own.
    DomainId,
    /// A letter of the platform to a person.
    MailId,
    /// One of our own people, who is in no workspace.
    OpsUserId,
    /// A request of our support for access, with what became of it.
    SupportGrantId,
    /// What one of our own people did outside of workspaces. Later ones are greater.
    OpsEventId,
}

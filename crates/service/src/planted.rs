//! Faults that need something to be kept from one request to the next: see [`clarity_runtime::planted`].

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use clarity_runtime::planted::planted;
use clarity_store::WorkspaceScope;
use clarity_store::auth::session::TokenHash;

use crate::Visitor;

static KNOWN: Mutex<BTreeMap<TokenHash, Visitor>> = Mutex::new(BTreeMap::new());

/// The scope that a seat gets: its own, and with the fault planted that of whoever came first.
pub(crate) fn scope(own: WorkspaceScope) -> WorkspaceScope {
    static FIRST: OnceLock<WorkspaceScope> = OnceLock::new();
    if planted("the-scope-of-whoever-came-first") { FIRST.get_or_init(|| own).clone() } else { own }
}

/// A visitor who was read, and with the fault planted will be known by the token for good.
pub(crate) fn remember(token: &TokenHash, visitor: Visitor) -> Visitor {
    if planted("an-ended-session-remembered") {
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(*token, visitor.clone());
    }
    visitor
}

/// Who comes with a token that is no live session's: nobody, and with the fault planted whoever came with it before.
pub(crate) fn nobody(token: &TokenHash) -> Visitor {
    let known = planted("an-ended-session-remembered")
        .then(|| KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned());
    known.flatten().unwrap_or(Visitor::Anonymous)
}

//! How many live streams a person has open: each is a connection that is kept, and looks at its rights every few seconds.
//!
//! Counted in this process alone, as all that is slowed down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;

use crate::{Seat, Services};

/// Of one person, over all their workspaces and browsers.
const MOST: usize = 30;

/// Streams that are open, by person.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenStreams {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl OpenStreams {
    fn take(&self, user: UserId) -> Result<OpenStream, AppError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_default();
        if *count >= MOST {
            return Err(AppError::new(
                ErrorCode::RateLimited,
                format!("You have {MOST} live pages open, as many as there can be. Close some, then reload this one."),
            ));
        }
        *count += 1;
        Ok(OpenStream { of: self.clone(), user })
    }

    fn give_back(&self, user: UserId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&user);
            }
        }
    }
}

/// One that is open; dropped with its connection.
#[derive(Debug)]
pub struct OpenStream {
    of: OpenStreams,
    user: UserId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.of.give_back(self.user);
    }
}

impl Services {
    /// Takes one of the live streams that the person of this seat may have open.
    ///
    /// # Errors
    /// `RateLimited` when all are.
    pub fn open_stream(&self, seat: &Seat) -> Result<OpenStream, AppError> {
        self.streams.take(seat.user_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_so_many_live_streams_open_and_no_more() {
        let streams = OpenStreams::default();
        let (one, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let mut held: Vec<OpenStream> = (0..MOST).map(|_| streams.take(one).unwrap()).collect();
        let refused = streams.take(one).unwrap_err();
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert!(refused.message.contains("30 live pages open"), "{refused}");
        assert!(streams.take(other).is_ok(), "nobody else waits for it");
        drop(held.pop());
        held.push(streams.take(one).unwrap());
        assert!(streams.take(one).is_err());
        drop(held);
        assert!(streams.open.lock().unwrap().is_empty(), "nobody is remembered who has none open");
    }
}

//! How many live streams one person may have open: each is a task, a connection and a place in a feed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clarity_domain::ids::UserId;

/// Windows of one person, of one process. A browser that has more is a program in a loop.
const MOST: usize = 32;

#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<HashMap<UserId, usize>>>);

impl Places {
    /// A place for one more stream of this person, while there is one.
    pub fn take(&self, user: UserId) -> Option<Place> {
        let mut taken = self.taken();
        let count = taken.entry(user).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Place { places: self.clone(), user })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Given back when the stream ends.
#[derive(Debug)]
pub struct Place {
    places: Places,
    user: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        let left = taken.get(&self.user).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            taken.remove(&self.user);
        } else {
            taken.insert(self.user, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_person_has_so_many_places_and_a_stream_that_ends_gives_its_own_back() {
        let places = Places::default();
        let (maja, joe) = (UserId(Uuid::now_v7()), UserId(Uuid::now_v7()));
        let mut held: Vec<Place> = (0..MOST).map(|_| places.take(maja).expect("a place")).collect();
        assert!(places.take(maja).is_none() && places.take(joe).is_some());
        held.pop();
        assert!(places.take(maja).is_some(), "one was given back");
        drop(held);
        assert!(places.taken().is_empty(), "nobody is kept in mind");
    }
}

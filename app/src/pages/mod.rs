//! One thin file per route: parameters, title, features.

mod connect;
mod dead_letters;
#[cfg(debug_assertions)]
mod gallery;
mod home;
mod not_found;
mod overview;
mod sign_in;
mod sign_up;
mod source;
mod sources;

pub use connect::ConnectPage;
pub use dead_letters::DeadLettersPage;
#[cfg(debug_assertions)]
pub use gallery::GalleryPage;
pub use home::HomePage;
/// The gallery is for those who build the app: a release has no such page, and its WASM does not carry it.
#[cfg(not(debug_assertions))]
pub use not_found::NotFoundPage as GalleryPage;
pub use not_found::{NotFoundPage, WorkspaceNotFoundPage};
pub use overview::OverviewPage;
pub use sign_in::SignInPage;
pub use sign_up::SignUpPage;
pub use source::SourcePage;
pub use sources::SourcesPage;

//! One thin file per route: parameters, title, features.

mod connect;
mod dead_letters;
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
pub use gallery::GalleryPage;
pub use home::HomePage;
pub use not_found::{NotFoundPage, WorkspaceNotFoundPage};
pub use overview::OverviewPage;
pub use sign_in::SignInPage;
pub use sign_up::SignUpPage;
pub use source::SourcePage;
pub use sources::SourcesPage;

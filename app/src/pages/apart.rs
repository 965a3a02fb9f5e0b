//! What comes to the browser when the first of it is opened: all pages but the Overview, and what lies over them.
//!
//! The build cuts the WASM at [`code`]; the server has it all. So a person who opens the Overview waits for the frame
//! and the Overview, and nothing else.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;

use super::{
    ask_reset::AskResetPage, audit::AuditPage, confirm::ConfirmPage, confirm_it::ConfirmItPage, connect::ConnectPage,
    dead_letters::DeadLettersPage, delete::DeletePage, deleted::DeletedPage, email::EmailPage,
    email_stop::EmailStopPage, first_event::FirstEventPage, gallery::GalleryPage, home::HomePage, invite::InvitePage,
    masking::MaskingPage, members::MembersPage, new_workspace::NewWorkspacePage, not_found::WorkspaceNotFoundPage,
    ops_enrol::OpsEnrolPage, ops_events::OpsEventsPage, ops_sign_in::OpsSignInPage, ops_workspace::OpsWorkspacePage,
    ops_workspaces::OpsWorkspacesPage, outbox::OutboxPage, reset::ResetPage, retention::RetentionPage,
    second_factor::SecondFactorPage, sessions::SessionsPage, settings::SettingsPage, sign_in::SignInPage,
    sign_in_code::SignInCodePage, sign_up::SignUpPage, sites::SitesPage, source::SourcePage, sources::SourcesPage,
    sso::SsoPage, sso_begin::SsoBeginPage, sso_link::SsoLinkPage, support::SupportPage, tokens::TokensPage,
    usage::UsagePage, welcome::WelcomePage,
};
use crate::{
    features::set_up::FIRST_EVENT,
    layout::{frame::use_slug, overlays::OverlaysContent},
    paths,
    ui::note::ErrorNote,
};

/// Such a page, as the view of a route.
#[derive(Clone, Copy)]
pub enum Apart {
    Home,
    SignIn,
    /// After the password.
    SignInCode,
    SecondFactor,
    ConfirmIt,
    SignUp,
    Confirm,
    AskReset,
    Reset,
    /// The link of the letter to a new address, and of the one to the old.
    Email,
    EmailStop,
    NewWorkspace,
    /// The link of an invitation.
    Invite,
    /// Where single sign-on begins.
    SsoBegin,
    /// Where somebody shows that an account is theirs.
    SsoLink,
    Gallery,
    Outbox,
    Sources,
    Connect,
    Source,
    DeadLetters,
    Sessions,
    Members,
    Retention,
    Masking,
    Tokens,
    Sso,
    Audit,
    Delete,
    /// The certificate of a workspace that is gone.
    Deleted,
    Usage,
    /// Name, address, place and sites.
    Settings,
    /// Access of our own support.
    Support,
    /// Pages of our own people.
    OpsSignIn,
    OpsEnrol,
    OpsWorkspaces,
    OpsWorkspace,
    OpsEvents,
    Welcome,
    Sites,
    /// An Overview without a machine: by [`at_once`].
    FirstEvent,
    /// What lies over a workspace's pages: by [`at_once`].
    Overlays,
    /// An address in a workspace that has no page.
    Nothing,
}

impl ChooseView for Apart {
    async fn choose(self) -> AnyView {
        code(self).await.unwrap_or_else(|_| missing())
    }

    async fn preload(&self) {}
}

/// Loads the code of the page at `path`, if it is apart. What the server rendered is taken over at one go, so it has to
/// be there before.
pub async fn ready(path: &str) -> Result<(), SplitLoaderError> {
    let own = paths::is_overview(path) && document().get_element_by_id(FIRST_EVENT).is_none();
    if own { Ok(()) } else { load().await }
}

/// Loads the code of pages that are apart, for [`at_once`]. Whether that worked is seen there.
#[cfg(feature = "hydrate")]
pub async fn fetch() {
    // The error stays in this thread, which is the only one there is.
    let loading = leptos::__reexports::send_wrapper::SendWrapper::new(load());
    drop(loading.await);
}

/// On the server it is there.
#[cfg(not(feature = "hydrate"))]
pub async fn fetch() {}

/// Such a page in the place of another one, when its code is there.
pub fn at_once(page: Apart) -> AnyView {
    let mut code = pin!(code(page));
    match code.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(view)) => view,
        _ => missing(),
    }
}

/// Where the WASM is cut. In the browser a call loads the other part once, then goes there.
#[wasm_split(pages, wasm_split_path = leptos::wasm_split, fallible, preload(load))]
fn code(page: Apart) -> Result<AnyView, SplitLoaderError> {
    Ok(match page {
        Apart::Home => view! { <HomePage/> }.into_any(),
        Apart::SignIn => view! { <SignInPage/> }.into_any(),
        Apart::SignInCode => view! { <SignInCodePage/> }.into_any(),
        Apart::SecondFactor => view! { <SecondFactorPage/> }.into_any(),
        Apart::ConfirmIt => view! { <ConfirmItPage/> }.into_any(),
        Apart::SignUp => view! { <SignUpPage/> }.into_any(),
        Apart::Confirm => view! { <ConfirmPage/> }.into_any(),
        Apart::AskReset => view! { <AskResetPage/> }.into_any(),
        Apart::Reset => view! { <ResetPage/> }.into_any(),
        Apart::Email => view! { <EmailPage/> }.into_any(),
        Apart::EmailStop => view! { <EmailStopPage/> }.into_any(),
        Apart::NewWorkspace => view! { <NewWorkspacePage/> }.into_any(),
        Apart::Invite => view! { <InvitePage/> }.into_any(),
        Apart::SsoBegin => view! { <SsoBeginPage/> }.into_any(),
        Apart::SsoLink => view! { <SsoLinkPage/> }.into_any(),
        Apart::Gallery => view! { <GalleryPage/> }.into_any(),
        Apart::Outbox => view! { <OutboxPage/> }.into_any(),
        Apart::Sources => view! { <SourcesPage/> }.into_any(),
        Apart::Connect => view! { <ConnectPage/> }.into_any(),
        Apart::Source => view! { <SourcePage/> }.into_any(),
        Apart::DeadLetters => view! { <DeadLettersPage/> }.into_any(),
        Apart::Sessions => view! { <SessionsPage/> }.into_any(),
        Apart::Members => view! { <MembersPage/> }.into_any(),
        Apart::Retention => view! { <RetentionPage/> }.into_any(),
        Apart::Masking => view! { <MaskingPage/> }.into_any(),
        Apart::Tokens => view! { <TokensPage/> }.into_any(),
        Apart::Sso => view! { <SsoPage/> }.into_any(),
        Apart::Audit => view! { <AuditPage/> }.into_any(),
        Apart::Delete => view! { <DeletePage/> }.into_any(),
        Apart::Deleted => view! { <DeletedPage/> }.into_any(),
        Apart::Usage => view! { <UsagePage/> }.into_any(),
        Apart::Settings => view! { <SettingsPage/> }.into_any(),
        Apart::Support => view! { <SupportPage/> }.into_any(),
        Apart::OpsSignIn => view! { <OpsSignInPage/> }.into_any(),
        Apart::OpsEnrol => view! { <OpsEnrolPage/> }.into_any(),
        Apart::OpsWorkspaces => view! { <OpsWorkspacesPage/> }.into_any(),
        Apart::OpsWorkspace => view! { <OpsWorkspacePage/> }.into_any(),
        Apart::OpsEvents => view! { <OpsEventsPage/> }.into_any(),
        Apart::Welcome => view! { <WelcomePage/> }.into_any(),
        Apart::Sites => view! { <SitesPage/> }.into_any(),
        Apart::FirstEvent => view! { <FirstEventPage/> }.into_any(),
        Apart::Overlays => view! { <OverlaysContent slug=use_slug()/> }.into_any(),
        Apart::Nothing => view! { <WorkspaceNotFoundPage/> }.into_any(),
    })
}

/// The network is gone, or the server has a newer build: loading the page as a whole helps in both cases.
fn missing() -> AnyView {
    let reload = Callback::new(|()| drop(window().location().reload()));
    view! { <ErrorNote title="This page could not be loaded" message="Check your connection, then try again." retry=Some(reload)/> }.into_any()
}

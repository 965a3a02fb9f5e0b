//! The app: what every page has, and which page a path is.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    layout::{frame::WorkspaceFrame, theme::Theme},
    pages::{Apart, NotFoundPage, OverviewPage},
    ui::{
        time::Clock,
        toast::{Toaster, Toasts},
    },
};

/// Pages are sent whole, with their data: they can be read, and forms sent, before any script has loaded.
const WHOLE: SsrMode = SsrMode::Async;

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Clock::provide();
    Theme::provide();
    Toaster::provide();
    view! {
        <Title formatter=tab_title/>
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=Apart::Home ssr=WHOLE/>
                <Route path=path!("/sign-in") view=Apart::SignIn ssr=WHOLE/>
                <Route path=path!("/sign-in/code") view=Apart::SignInCode ssr=WHOLE/>
                <Route path=path!("/second-factor") view=Apart::SecondFactor ssr=WHOLE/>
                <Route path=path!("/confirm-it") view=Apart::ConfirmIt ssr=WHOLE/>
                <Route path=path!("/sign-up") view=Apart::SignUp ssr=WHOLE/>
                <Route path=path!("/confirm/:token") view=Apart::Confirm ssr=WHOLE/>
                <Route path=path!("/reset") view=Apart::AskReset ssr=WHOLE/>
                <Route path=path!("/reset/:token") view=Apart::Reset ssr=WHOLE/>
                <Route path=path!("/email/:token") view=Apart::Email ssr=WHOLE/>
                <Route path=path!("/email/stop/:token") view=Apart::EmailStop ssr=WHOLE/>
                <Route path=path!("/new-workspace") view=Apart::NewWorkspace ssr=WHOLE/>
                <Route path=path!("/invite/:token") view=Apart::Invite ssr=WHOLE/>
                <Route path=path!("/deleted/:token") view=Apart::Deleted ssr=WHOLE/>
                <Route path=path!("/sso") view=Apart::SsoBegin ssr=WHOLE/>
                <Route path=path!("/sso/link") view=Apart::SsoLink ssr=WHOLE/>
                <Route path=path!("/dev/ui") view=Apart::Gallery ssr=WHOLE/>
                <Route path=path!("/dev/mail") view=Apart::Outbox ssr=WHOLE/>
                <Route path=path!("/ops") view=Apart::OpsWorkspaces ssr=WHOLE/>
                <Route path=path!("/ops/sign-in") view=Apart::OpsSignIn ssr=WHOLE/>
                <Route path=path!("/ops/enrol/:token") view=Apart::OpsEnrol ssr=WHOLE/>
                <Route path=path!("/ops/workspaces/:slug") view=Apart::OpsWorkspace ssr=WHOLE/>
                <ParentRoute path=path!("/w/:slug") view=WorkspaceFrame ssr=WHOLE>
                    <Route path=path!("") view=OverviewPage ssr=WHOLE/>
                    <Route path=path!("sources") view=Apart::Sources ssr=WHOLE/>
                    <Route path=path!("sources/connect") view=Apart::Connect ssr=WHOLE/>
                    <Route path=path!("sources/:id") view=Apart::Source ssr=WHOLE/>
                    <Route path=path!("dead-letters") view=Apart::DeadLetters ssr=WHOLE/>
                    <Route path=path!("sessions") view=Apart::Sessions ssr=WHOLE/>
                    <Route path=path!("members") view=Apart::Members ssr=WHOLE/>
                    <Route path=path!("retention") view=Apart::Retention ssr=WHOLE/>
                    <Route path=path!("masking") view=Apart::Masking ssr=WHOLE/>
                    <Route path=path!("tokens") view=Apart::Tokens ssr=WHOLE/>
                    <Route path=path!("usage") view=Apart::Usage ssr=WHOLE/>
                    <Route path=path!("sso") view=Apart::Sso ssr=WHOLE/>
                    <Route path=path!("welcome") view=Apart::Welcome ssr=WHOLE/>
                    <Route path=path!("audit") view=Apart::Audit ssr=WHOLE/>
                    <Route path=path!("delete") view=Apart::Delete ssr=WHOLE/>
                    <Route path=path!("support") view=Apart::Support ssr=WHOLE/>
                    <Route path=path!("*any") view=Apart::Nothing ssr=WHOLE/>
                </ParentRoute>
            </Routes>
        </Router>
        <Toasts/>
    }
}

/// What the browser's tab says. The server writes a title into the head as it is given, so what people and agents named is
/// escaped for it here; the browser sets it as text.
fn tab_title(text: String) -> String {
    let title = if text.is_empty() { "Clarity Stream".to_owned() } else { format!("{text} · Clarity Stream") };
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}

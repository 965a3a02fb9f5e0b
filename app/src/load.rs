//! Reading a page's data: skeleton at first, then the data, dimmed while newer data loads; an error in words.

use clarity_domain::error::ErrorCode;
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::PageError,
    once::drawn_once,
    paths,
    ui::{
        button::LinkButton,
        icon::Symbol,
        note::{EmptyNote, ErrorNote},
    },
    wire::Wire,
};

/// Whether the page reads newer data while it shows the old. Provided by the layout of a page.
#[derive(Clone, Copy)]
pub struct Pending(pub RwSignal<bool>);

/// Shows `resource` in its states. `wrap` puts skeleton and error into the page's frame; `show` draws the whole page.
/// A person who is signed out goes to the sign-in and comes back; one whom the workspace asks for a second factor goes to add
/// it.
pub fn load<T, Wrap, Show>(
    resource: Resource<Result<Wire<T>, PageError>>,
    skeleton: fn() -> AnyView,
    wrap: Wrap,
    show: Show,
) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static,
    Wrap: Fn(AnyView) -> AnyView + Clone + Send + Sync + 'static,
    Show: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let pending = use_context::<Pending>().map_or_else(|| RwSignal::new(false), |p| p.0);
    // Never written on the server: it would be by another thread, and a signal that is read just then panics.
    let set_pending = SignalSetter::map(move |is_pending| {
        if !cfg!(feature = "ssr") {
            pending.set(is_pending);
        }
    });
    let location = use_location();
    let wrap_skeleton = wrap.clone();
    view! {
        <Transition fallback=move || wrap_skeleton(skeleton()) set_pending=set_pending>
            {move || {
                let (show, wrap) = (show.clone(), wrap.clone());
                let location = location.clone();
                Suspend::new(async move {
                    drawn_once().await;
                    match resource.await {
                        Ok(Wire(data)) => show(data),
                        Err(error) if [ErrorCode::Unauthenticated, ErrorCode::SecondFactorNeeded].contains(&error.code()) => {
                            let search = location.search.get_untracked();
                            let mark = if search.is_empty() { "" } else { "?" };
                            let here = format!("{}{mark}{search}", location.pathname.get_untracked());
                            let path = if error.code() == ErrorCode::Unauthenticated {
                                paths::sign_in_then(&here)
                            } else {
                                paths::second_factor(Some(&here))
                            };
                            view! { <Redirect path/> }.into_any()
                        }
                        Err(error) if error.code() == ErrorCode::SsoNeeded => {
                            let path = location.pathname.get_untracked();
                            let slug = paths::slug_of(&path).unwrap_or_default();
                            let href = paths::sso_start(slug, Some(&path), false);
                            let note = view! {
                                <EmptyNote symbol=Symbol::Key title="Single sign-on" message=error.message().to_owned()>
                                    // To the server, which leads on to another origin.
                                    <a class="cs-button" data-kind="primary" data-size="usual" rel="external" href=href>"Sign in with single sign-on"</a>
                                </EmptyNote>
                            };
                            wrap(view! { <div class="cs-card">{note}</div> }.into_any())
                        }
                        Err(error) => {
                            let note = if error.code() == ErrorCode::NotFound {
                                view! {
                                    <EmptyNote symbol=Symbol::Search title="Nothing here" message=error.message().to_owned()>
                                        <LinkButton href=paths::HOME>"Go to the first page"</LinkButton>
                                    </EmptyNote>
                                }
                                    .into_any()
                            } else {
                                let retry = Some(Callback::new(move |()| resource.refetch()));
                                view! { <ErrorNote title="This could not be loaded" message=error.message().to_owned() retry/> }.into_any()
                            };
                            let note = view! { <div class="cs-card">{note}</div> };
                            wrap(note.into_any())
                        }
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

//! The wizard while a code is out. It asks again until something has to be done by a person, or the first event is here.

use clarity_domain::view::pairing::{Pairing, PairingState};
use leptos::prelude::*;

use super::{
    api::{Approve, Begin, Refuse},
    model,
    parts::{Approved, Claimed, Over, Way},
};
use crate::{
    layout::page::{Crumb, Page},
    paths,
    ui::{
        card::Card,
        copy::CopyCode,
        pill::{Pill, Tone},
        time::Clock,
    },
};

#[cfg(feature = "hydrate")]
const ASK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// The forms of the wizard; the page reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub begin: ServerAction<Begin>,
    pub approve: ServerAction<Approve>,
    pub refuse: ServerAction<Refuse>,
}

#[component]
pub fn PairingContent(slug: String, pairing: Pairing, forms: Forms, refresh: Callback<()>) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if model::is_moving(&pairing.state)
        && let Ok(handle) = set_timeout_with_handle(move || refresh.run(()), ASK_EVERY)
    {
        on_cleanup(move || handle.clear());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = refresh;
    let at = model::step(&pairing.state);
    let state = pairing.state.clone();
    let (id, base) = (pairing.id, pairing.as_of);
    let crumbs = vec![Crumb::to("Sources", paths::sources(&slug)), Crumb::here("Connect a source")];
    let body = match pairing.state.clone() {
        PairingState::Waiting { attempts_left } => view! { <Waiting pairing attempts_left/> }.into_any(),
        PairingState::Claimed { fingerprint, hostname, address, claimed_at } => {
            let Forms { approve, refuse, .. } = forms;
            view! { <Claimed slug id fingerprint hostname address claimed_at base approve refuse/> }.into_any()
        }
        PairingState::Approved { agent, sources, .. } => view! { <Approved slug agent sources base/> }.into_any(),
        PairingState::Expired => view! { <Over slug refused=false action=forms.begin/> }.into_any(),
        PairingState::Refused => view! { <Over slug refused=true action=forms.begin/> }.into_any(),
    };
    view! {
        <Page crumbs>
            <div class="cs-head"><div class="cs-head__text"><h1>"Connect a source"</h1><p>"Everything below runs on your side. Credentials stay with the agent."</p></div></div>
            <div class="cs-pair">
                <Way at state=Some(state)/>
                <div class="cs-stack" aria-live="polite">{body}</div>
            </div>
        </Page>
    }
}

/// The code and the command, until an agent shows up.
#[component]
fn Waiting(pairing: Pairing, attempts_left: u8) -> impl IntoView {
    let clock: Clock = expect_context();
    let base = pairing.as_of;
    let (code, command) = (pairing.code.clone(), pairing.install_command.clone());
    let validity = Memo::new(move |_| model::validity(&pairing, clock.now().unwrap_or(base)));
    let tries = (attempts_left < 5).then(|| format!("A wrong code was tried; {attempts_left} attempts are left."));
    let aside = view! { <Pill tone=Tone::Idle text="Waiting for the agent"/> }.into_any();
    view! {
        <Card title="Install the agent" aside>
            {match (code, command) {
                (Some(code), Some(command)) => view! {
                    <p class="cs-quiet">"Run this as root on the machine beside your database:"</p>
                    <CopyCode code=command what="the install command"/>
                    <p class="cs-pair__code" aria-label="Pairing code">{code}</p>
                    <p class="cs-quiet">"One use, " {validity} "."</p>
                }
                    .into_any(),
                _ => view! { <p>"The code is shown only in the browser that made it. It is " {validity} "; go on there, or make a new one when it has expired."</p> }.into_any(),
            }}
            {tries.map(|tries| view! { <p class="cs-sources__warn">{tries}</p> })}
        </Card>
    }
}

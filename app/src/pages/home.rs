//! `/`: what Clarity Stream is, in claims that the product keeps.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::{
    features::session::api,
    paths,
    ui::{
        brand::Brand,
        button::{Kind, LinkButton},
    },
};

#[component]
pub fn HomePage() -> impl IntoView {
    let session = Resource::new(|| (), |()| api::current());
    let acts = move || {
        Suspend::new(async move {
            let first = session
                .await
                .ok()
                .and_then(|session| session.0)
                .and_then(|session| session.workspaces.into_iter().next());
            match first {
                Some(workspace) => view! { <LinkButton href=paths::workspace(&workspace.slug) kind=Kind::Primary>{format!("Open {}", workspace.name)}</LinkButton> }.into_any(),
                None => view! {
                    <LinkButton href=paths::SIGN_IN kind=Kind::Quiet>"Sign in"</LinkButton>
                    <LinkButton href=paths::SIGN_UP kind=Kind::Primary>"Start free"</LinkButton>
                }
                .into_any(),
            }
        })
    };
    view! {
        <Title text="See every plant as it runs"/>
        <Meta name="description" content="Live data of industrial fleets from the databases you already have, over one outward connection."/>
        <a class="cs-skip" href="#main">"Skip to the content"</a>
        <div class="cs-home">
            <header class="cs-home__bar">
                <div>
                    <Brand href=paths::HOME/>
                    <Transition fallback=|| ()>{acts}</Transition>
                </div>
            </header>
            <main id="main">
                <section class="cs-home__hero">
                    <h1>"See every plant as it runs."</h1>
                    <p class="cs-home__lead">"Connect the databases you already have. One small agent opens one connection outward, and your fleet is live. No inbound port, no copied credentials."</p>
                    <div class="cs-row">
                        <LinkButton href=paths::SIGN_UP kind=Kind::Primary large=true>"Start free"</LinkButton>
                        <LinkButton href="#network" large=true>"See how it connects"</LinkButton>
                    </div>
                </section>
                <section aria-label="In short">
                    <dl class="cs-home__figures">
                        <div><dt>"inbound ports in your network"</dt><dd>"0"</dd></div>
                        <div><dt>"connection per agent, outward, TLS"</dt><dd>"1"</dd></div>
                        <div><dt>"of workspace tables under row-level security"</dt><dd>"100 %"</dd></div>
                        <div><dt>"words for how fresh data is: live, quiet, delayed, blind"</dt><dd>"4"</dd></div>
                    </dl>
                </section>
                <section class="cs-home__path" id="network">
                    <h2>"Your network stays closed."</h2>
                    <p>"The agent reads changes where they happen, keeps them on its own disk until we confirm that they are stored, and calls out. Nothing calls in."</p>
                    <div class="cs-home__flow">
                        <div class="cs-home__net"><span>"Your network"</span><b>"PostgreSQL"</b><b data-ours="">"Agent"</b></div>
                        <div class="cs-home__arrow">
                            <svg viewBox="0 0 120 16" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true"><path d="M2 8h114m-8-6 8 6-8 6"></path></svg>
                            <span>"outward only, TLS"</span>
                        </div>
                        <div class="cs-home__net"><span>"Clarity Stream"</span><b>"Ingest"</b><b>"Bronze log"</b><b>"Read models"</b><b data-ours="">"Overview"</b></div>
                    </div>
                </section>
            </main>
            <footer><div>"Clarity Stream"</div></footer>
        </div>
    }
}

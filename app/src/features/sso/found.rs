//! The test: a real way to the provider and back, and what it found.

use clarity_domain::view::{Micros, sso::SsoFound};
use leptos::prelude::*;

use super::model;
use crate::{
    paths,
    ui::{card::Card, note::Banner, time::Ago},
};

#[component]
pub fn Test(slug: String, found: Option<SsoFound>, tested_at: Option<Micros>, base: Micros) -> impl IntoView {
    let tested = tested_at.map(|at| {
        view! { <p class="cs-quiet">"An owner last came back as themselves " <Ago at=Some(at) base/></p> }
    });
    let found = found.map(|found| {
        let (tone, words) = model::verdict(&found);
        let yes = |is: bool| if is { "yes" } else { "no" };
        let facts = found.failed.is_none().then(|| {
            let email = found.email.clone().unwrap_or_else(|| "none".to_owned());
            view! {
                <dl class="cs-facts">
                    <div><dt>"Issuer"</dt><dd>{found.issuer.clone()}</dd></div>
                    <div><dt>"Subject"</dt><dd>{found.subject.clone()}</dd></div>
                    <div><dt>"E-mail"</dt><dd>{email}</dd></div>
                    <div><dt>"E-mail verified"</dt><dd>{yes(found.email_verified)}</dd></div>
                    <div><dt>"Domain verified here"</dt><dd>{yes(found.domain_verified)}</dd></div>
                </dl>
            }
        });
        view! {
            <Banner tone>{words} " " <Ago at=Some(found.at) base/></Banner>
            {facts}
        }
    });
    view! {
        <Card title="Test" remark="goes to the provider and comes back; nobody is signed in">
            <div class="cs-stack">
                {found}
                {tested}
                // A link and no form: a form must not lead to another origin.
                <div><a class="cs-button" data-kind="plain" data-size="usual" rel="external" href=paths::sso_test(&slug)>"Test"</a></div>
            </div>
        </Card>
    }
}

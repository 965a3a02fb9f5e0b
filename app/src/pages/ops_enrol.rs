//! `/ops/enrol/:token`: where the link of a new account of the platform's own people leads

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    features::ops::{EnrolForm, OpsFrame, api},
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn OpsEnrolPage() -> impl IntoView {
    let params = use_params_map();
    let token = Memo::new(move |_| params.with(|params| params.get("token").unwrap_or_default()));
    let enrolment = Resource::new(move || token.get(), api::find_enrolment);
    view! {
        <Title text="Support: new account"/>
        {load(
            enrolment,
            || view! { <PageSkeleton figures=0 rows=3/> }.into_any(),
            |content| view! { <OpsFrame person=None>{content}</OpsFrame> }.into_any(),
            move |enrolment| {
                let name = enrolment.person.name.clone();
                view! {
                    <OpsFrame person=None>
                        <div class="cs-ops__form">
                            <h1>"Your account"</h1>
                            <p class="cs-quiet">"For " <b>{name}</b> ". It works with a password and a code of your app, always both."</p>
                            <EnrolForm token=token.get_untracked() enrolment/>
                        </div>
                    </OpsFrame>
                }
                .into_any()
            },
        )}
    }
}

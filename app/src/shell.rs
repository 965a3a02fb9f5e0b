//! The HTML document around the app, with the policy that goes with it.

use http::{HeaderValue, header};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::{App, context::Site, ui::time_chart::option};

/// Applies the stored choice of colours before the first paint, and again when it or the system changes.
const THEME: &str = "(()=>{const m=matchMedia('(prefers-color-scheme: dark)'),a=()=>{let t;try{t=localStorage.getItem('cs-theme')}catch{}\
document.documentElement.dataset.theme=t==='dark'||t==='light'?t:m.matches?'dark':'light'};a();m.addEventListener('change',a);addEventListener('cs-theme',a)})();\
window.csImport=u=>import(u);";

/// The document. `Site` has to be provided as a context.
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let site: Site = expect_context();
    let nonce = use_nonce();
    set_policy(nonce.as_ref().map(ToString::to_string));
    let (css, js, wasm, charts) = (
        site.assets.url("clarity.css"),
        site.assets.url("clarity.js"),
        site.assets.url("clarity.wasm"),
        site.assets.url("charts.js"),
    );
    let font = site.assets.url("fonts/inter-latin-wght-normal.woff2");
    let hydrate = format!("import({js:?}).then(m=>m.default({{module_or_path:{wasm:?}}}).then(()=>m.hydrate()));");
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="cs-charts" content=charts/>
                <script nonce=nonce.clone()>{THEME}</script>
                <link rel="stylesheet" href=css/>
                <link rel="preload" href=font r#as="font" type="font/woff2" crossorigin="anonymous"/>
                <link rel="modulepreload" href=js nonce=nonce.clone()/>
                <link rel="preload" href=wasm r#as="fetch" type="application/wasm" crossorigin="anonymous"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <script type="module" nonce=nonce>{hydrate}</script>
                <script type="application/json" id=option::ELEMENT>{serde_json::to_string(&option::option()).unwrap_or_default()}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The policy of the page as a header. Scripts run by nonce only; styles come from our files, and as custom properties
/// in `style` attributes that position bars by data.
fn set_policy(nonce: Option<String>) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let nonce = nonce.map(|nonce| format!("'nonce-{nonce}' ")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {nonce}'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; style-src-attr 'unsafe-inline'; \
         connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'; object-src 'none'"
    );
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, value);
    }
}

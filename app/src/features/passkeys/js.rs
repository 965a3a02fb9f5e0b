//! The browser's side: asks the device, by the JSON forms of the Web Authentication standard. Browsers that do not know these
//! (before 2025) are told so.

use clarity_domain::error::{AppError, ErrorCode};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::error::PageError;

#[wasm_bindgen]
extern "C" {
    /// The class `PublicKeyCredential`, which reads options.
    type Reader;
    #[wasm_bindgen(method, catch, js_name = parseCreationOptionsFromJSON)]
    fn read_creation(this: &Reader, json: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = parseRequestOptionsFromJSON)]
    fn read_request(this: &Reader, json: &JsValue) -> Result<JsValue, JsValue>;

    /// `navigator.credentials`.
    type Devices;
    #[wasm_bindgen(method, catch)]
    fn create(this: &Devices, options: &JsValue) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Devices, options: &JsValue) -> Result<js_sys::Promise, JsValue>;

    /// One `PublicKeyCredential`.
    type Answer;
    #[wasm_bindgen(method, catch, js_name = toJSON)]
    fn to_json(this: &Answer) -> Result<JsValue, JsValue>;
}

/// Lets a device make a passkey; its answer as JSON.
pub async fn make(options: &str) -> Result<String, PageError> {
    let asked = || {
        let options = wrapped(reader()?.read_creation(&js_sys::JSON::parse(options)?)?)?;
        devices()?.create(&options)
    };
    answer(asked()).await
}

/// Lets a device show a passkey; its answer as JSON.
pub async fn show(options: &str) -> Result<String, PageError> {
    let asked = || {
        let options = wrapped(reader()?.read_request(&js_sys::JSON::parse(options)?)?)?;
        devices()?.get(&options)
    };
    answer(asked()).await
}

fn reader() -> Result<Reader, JsValue> {
    Ok(js_sys::Reflect::get(&window(), &"PublicKeyCredential".into())?.unchecked_into())
}

fn devices() -> Result<Devices, JsValue> {
    Ok(js_sys::Reflect::get(&window().navigator(), &"credentials".into())?.unchecked_into())
}

/// `{ publicKey: options }`
fn wrapped(options: JsValue) -> Result<JsValue, JsValue> {
    let all: JsValue = js_sys::Object::new().into();
    js_sys::Reflect::set(&all, &"publicKey".into(), &options)?;
    Ok(all)
}

async fn answer(asked: Result<js_sys::Promise, JsValue>) -> Result<String, PageError> {
    let said = async {
        let credential: Answer = JsFuture::from(asked?).await?.unchecked_into();
        js_sys::JSON::stringify(&credential.to_json()?)
    };
    said.await.map(String::from).map_err(|error| in_words(&error))
}

/// What went wrong, by the name of the browser's error.
fn in_words(error: &JsValue) -> PageError {
    let name = js_sys::Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    let words = match name.as_deref() {
        Some("NotAllowedError" | "AbortError") => {
            "No passkey was used: it was cancelled, took too long, or there is none for this account here."
        }
        Some("InvalidStateError") => "This device holds a passkey of your account already.",
        _ => "This browser cannot use passkeys here. Update it, or use another way.",
    };
    AppError::new(ErrorCode::Invalid, words).into()
}

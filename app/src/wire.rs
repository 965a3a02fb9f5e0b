//! How data of server functions is read in the browser: by one deserializer.
//!
//! A page's data comes once inside the HTML and later as the answer of a request, and the two are read by different
//! deserializers. Read through its JSON text, each type is compiled into the WASM once and not twice.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::value::RawValue;

/// A value on its way to the browser; as JSON it is the value itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire<T>(pub T);

impl<T: Serialize> Serialize for Wire<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        serde_json::from_str(text.get()).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_json_it_is_the_value_itself() {
        let sent: Result<Wire<Vec<Option<f64>>>, String> = Ok(Wire(vec![Some(1.5), None]));
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(text, r#"{"Ok":[1.5,null]}"#);
        assert_eq!(serde_json::from_str::<Result<Wire<Vec<Option<f64>>>, String>>(&text).unwrap(), sent);
        assert_eq!(serde_json::from_slice::<Wire<Vec<Option<f64>>>>(b"[1.5, null]").unwrap().0, [Some(1.5), None]);
        assert!(serde_json::from_str::<Wire<Vec<f64>>>(r#"["x"]"#).is_err());
    }
}

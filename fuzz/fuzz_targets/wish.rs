//! What callers of other languages wish for, as JSON from anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease::{Error, Reservation, Wish};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let request = Wish::read(text)
        .map_err(Error::from)
        .and_then(|wish| match wish.folder() {
            // Nothing outside is read.
            Some(_) => Ok(None),
            None => Reservation::wished(&wish, None)?.build().map(Some),
        });
    match request {
        Ok(Some(request)) => {
            let json = serde_json::to_string(&request).expect("it is plain data");
            assert_eq!(serde_json::from_str(&json).ok(), Some(request));
        }
        Ok(None) => {}
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let Error::Argument(error) = &error {
                assert!(!error.problem.is_empty(), "{error:?}");
            }
        }
    }
});

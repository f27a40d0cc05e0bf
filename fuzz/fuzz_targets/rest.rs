#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| talk_fuzz::rest(data));

mod arguments;
mod calls;
mod ends;

//! Enums that know all of their variants, so that none can be left out of the list.

/// An enum with a constant `ALL`, its variants in their order.
macro_rules! listed {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$about_variant:meta])* $variant:ident,)* }) => {
        $(#[$about])*
        pub enum $name { $($(#[$about_variant])* $variant,)* }

        impl $name {
            /// Every one of them, in their order.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];
        }
    };
}

pub(super) use listed;

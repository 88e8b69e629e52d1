//! Color maps of 256 entries, as matplotlib has them: `(lut * 255).astype(uint8)`.

use std::f64::consts::TAU;

/// 256 colors, red, green and blue.
pub type Colormap = [[u8; 3]; 256];

/// matplotlib's default map, by van der Walt and Smith (CC0): 256 colors from dark to light, each red, green and blue.
#[must_use]
pub fn viridis() -> Colormap {
    VIRIDIS.map(|rgb| {
        let [_, red, green, blue] = rgb.to_be_bytes();
        [red, green, blue]
    })
}

/// Green's cubehelix (2011), start 0.5, rotations -1.5, hue 1, gamma 1.
#[must_use]
pub fn cubehelix() -> Colormap {
    from_fn(|fraction| {
        let angle = TAU * (0.5 / 3.0 - 1.5 * fraction);
        let amplitude = fraction * (1.0 - fraction) / 2.0;
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        [
            fraction + amplitude * (-0.148_61 * cos + 1.782_77 * sin),
            fraction + amplitude * (-0.292_27 * cos - 0.906_49 * sin),
            fraction + amplitude * (1.972_94 * cos),
        ]
    })
}

/// Black to white.
#[must_use]
pub fn grey() -> Colormap {
    // matplotlib interpolates between the ends on a grid of step 1/255; truncation makes its rounding visible.
    from_fn_of_index(|index| [255.0 * (index * (1.0 / 255.0)) / 255.0; 3])
}

/// Dark to light in one hue, given in turns of the color wheel: for telling apart who computed what.
#[must_use]
pub fn tint(hue: f64) -> Colormap {
    const SATURATION: f64 = 0.65;
    from_fn(|fraction| {
        let value = 0.2 + 0.8 * fraction;
        [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|offset| {
            let distance = ((hue - offset).rem_euclid(1.0) - 0.5).abs();
            let pure = (6.0 * distance - 1.0).clamp(0.0, 1.0);
            value * (1.0 - SATURATION * (1.0 - pure))
        })
    })
}

fn from_fn(color: impl Fn(f64) -> [f64; 3]) -> Colormap {
    from_fn_of_index(|index| color(index / 255.0))
}

fn from_fn_of_index(color: impl Fn(f64) -> [f64; 3]) -> Colormap {
    std::array::from_fn(|index| {
        let index = f64::from(u32::try_from(index).expect("256 entries"));
        color(index).map(|level| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "matplotlib truncates levels to bytes, and they are clamped to its range"
            )]
            let byte = (level.clamp(0.0, 1.0) * 255.0) as u8;
            byte
        })
    })
}

const VIRIDIS: [u32; 256] = [
    0x440154, 0x440255, 0x440357, 0x450558, 0x45065a, 0x45085b, 0x46095c, 0x460b5e, 0x460c5f, 0x460e61, 0x470f62,
    0x471163, 0x471265, 0x471466, 0x471567, 0x471669, 0x47186a, 0x48196b, 0x481a6c, 0x481c6e, 0x481d6f, 0x481e70,
    0x482071, 0x482172, 0x482273, 0x482374, 0x472575, 0x472676, 0x472777, 0x472878, 0x472a79, 0x472b7a, 0x472c7b,
    0x462d7c, 0x462f7c, 0x46307d, 0x46317e, 0x45327f, 0x45347f, 0x453580, 0x453681, 0x443781, 0x443982, 0x433a83,
    0x433b83, 0x433c84, 0x423d84, 0x423e85, 0x424085, 0x414186, 0x414286, 0x404387, 0x404487, 0x3f4587, 0x3f4788,
    0x3e4888, 0x3e4989, 0x3d4a89, 0x3d4b89, 0x3d4c89, 0x3c4d8a, 0x3c4e8a, 0x3b508a, 0x3b518a, 0x3a528b, 0x3a538b,
    0x39548b, 0x39558b, 0x38568b, 0x38578c, 0x37588c, 0x37598c, 0x365a8c, 0x365b8c, 0x355c8c, 0x355d8c, 0x345e8d,
    0x345f8d, 0x33608d, 0x33618d, 0x32628d, 0x32638d, 0x31648d, 0x31658d, 0x31668d, 0x30678d, 0x30688d, 0x2f698d,
    0x2f6a8d, 0x2e6b8e, 0x2e6c8e, 0x2e6d8e, 0x2d6e8e, 0x2d6f8e, 0x2c708e, 0x2c718e, 0x2c728e, 0x2b738e, 0x2b748e,
    0x2a758e, 0x2a768e, 0x2a778e, 0x29788e, 0x29798e, 0x287a8e, 0x287a8e, 0x287b8e, 0x277c8e, 0x277d8e, 0x277e8e,
    0x267f8e, 0x26808e, 0x26818e, 0x25828e, 0x25838d, 0x24848d, 0x24858d, 0x24868d, 0x23878d, 0x23888d, 0x23898d,
    0x22898d, 0x228a8d, 0x228b8d, 0x218c8d, 0x218d8c, 0x218e8c, 0x208f8c, 0x20908c, 0x20918c, 0x1f928c, 0x1f938b,
    0x1f948b, 0x1f958b, 0x1f968b, 0x1e978a, 0x1e988a, 0x1e998a, 0x1e998a, 0x1e9a89, 0x1e9b89, 0x1e9c89, 0x1e9d88,
    0x1e9e88, 0x1e9f88, 0x1ea087, 0x1fa187, 0x1fa286, 0x1fa386, 0x20a485, 0x20a585, 0x21a685, 0x21a784, 0x22a784,
    0x23a883, 0x23a982, 0x24aa82, 0x25ab81, 0x26ac81, 0x27ad80, 0x28ae7f, 0x29af7f, 0x2ab07e, 0x2bb17d, 0x2cb17d,
    0x2eb27c, 0x2fb37b, 0x30b47a, 0x32b57a, 0x33b679, 0x35b778, 0x36b877, 0x38b976, 0x39b976, 0x3bba75, 0x3dbb74,
    0x3ebc73, 0x40bd72, 0x42be71, 0x44be70, 0x45bf6f, 0x47c06e, 0x49c16d, 0x4bc26c, 0x4dc26b, 0x4fc369, 0x51c468,
    0x53c567, 0x55c666, 0x57c665, 0x59c764, 0x5bc862, 0x5ec961, 0x60c960, 0x62ca5f, 0x64cb5d, 0x67cc5c, 0x69cc5b,
    0x6bcd59, 0x6dce58, 0x70ce56, 0x72cf55, 0x74d054, 0x77d052, 0x79d151, 0x7cd24f, 0x7ed24e, 0x81d34c, 0x83d34b,
    0x86d449, 0x88d547, 0x8bd546, 0x8dd644, 0x90d643, 0x92d741, 0x95d73f, 0x97d83e, 0x9ad83c, 0x9dd93a, 0x9fd938,
    0xa2da37, 0xa5da35, 0xa7db33, 0xaadb32, 0xaddc30, 0xafdc2e, 0xb2dd2c, 0xb5dd2b, 0xb7dd29, 0xbade27, 0xbdde26,
    0xbfdf24, 0xc2df22, 0xc5df21, 0xc7e01f, 0xcae01e, 0xcde01d, 0xcfe11c, 0xd2e11b, 0xd4e11a, 0xd7e219, 0xdae218,
    0xdce218, 0xdfe318, 0xe1e318, 0xe4e318, 0xe7e419, 0xe9e419, 0xece41a, 0xeee51b, 0xf1e51c, 0xf3e51e, 0xf6e61f,
    0xf8e621, 0xfae622, 0xfde724,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_run_from_dark_to_light() {
        assert_eq!((viridis()[0], viridis()[255]), ([68, 1, 84], [253, 231, 36]));
        assert_eq!((cubehelix()[0], cubehelix()[255]), ([0; 3], [255; 3]));
        assert_eq!((grey()[0], grey()[255]), ([0; 3], [255; 3]));
    }

    #[test]
    fn a_tint_keeps_its_hue() {
        for (hue, strongest) in [(0.0, 0), (1.0 / 3.0, 1), (2.0 / 3.0, 2)] {
            let color = tint(hue)[255];
            assert_eq!(color[strongest], 255, "hue {hue}: {color:?}");
            assert!((0..3).all(|channel| channel == strongest || color[channel] < 100), "hue {hue}: {color:?}");
        }
    }
}

//! From a shader's text to a pipeline: as SPIR-V without contraction where the device takes SPIR-V, as plain WGSL else.

#![expect(unsafe_code, reason = "wgpu takes SPIR-V that it has not translated itself only through an unsafe function")]

use std::num::NonZeroU64;

use super::{context::Context, no_contraction, shader, shader::Shader};
use crate::device::DeviceError;

/// Whether the driver may contract a multiplication and an addition to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contraction {
    /// Forbidden, by decorated SPIR-V.
    Forbidden,
    /// Left to the driver: the device takes nothing but WGSL.
    LeftToDriver,
}

impl Contraction {
    /// The best that `device` allows.
    pub(super) fn on(device: &wgpu::Device) -> Self {
        let vulkan = device.adapter_info().backend == wgpu::Backend::Vulkan;
        if vulkan && device.features().contains(wgpu::Features::PASSTHROUGH_SHADERS) {
            Self::Forbidden
        } else {
            Self::LeftToDriver
        }
    }
}

/// A kernel ready to run, and the layout of its bindings.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) compute: wgpu::ComputePipeline,
    bindings: wgpu::BindGroupLayout,
}

/// What a binding of a kernel is; its number is its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// `var<uniform>`, of a caller's own kernels
    Uniform,
    /// `var<storage, read>`
    Input,
    /// `var<storage, read_write>`
    Output,
}

impl Pipeline {
    /// Compiles `shader`, a text of this crate, whose entry point has the kernel's name.
    pub(super) fn build(
        context: &Context,
        shader: &Shader,
        bindings: &[Binding],
        contraction: Contraction,
    ) -> Result<Self, DeviceError> {
        let entries: Vec<_> =
            (0..).zip(bindings).map(|(number, binding)| layout_entry(number, *binding, None)).collect();
        let module = match contraction {
            Contraction::LeftToDriver => checked_module(context, shader),
            Contraction::Forbidden => exact_module(context, shader, shader::translate(&shader.wgsl))?,
        };
        Self::of_module(context, shader, &entries, &module)
    }

    /// Compiles `shader`, a text of which nothing is known; each of its bindings takes at least so many bytes.
    pub(super) fn build_foreign(
        context: &Context,
        shader: &Shader,
        bindings: &[(Binding, u64)],
        contraction: Contraction,
    ) -> Result<Self, DeviceError> {
        let entry = |(number, (binding, bytes)): (u32, &(Binding, u64))| layout_entry(number, *binding, Some(*bytes));
        let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
        // wgpu looks at its own translation, and finds whatever the device cannot do.
        let checked = Self::of_module(context, shader, &entries, &checked_module(context, shader))?;
        match contraction {
            Contraction::LeftToDriver => Ok(checked),
            Contraction::Forbidden => {
                let module = exact_module(context, shader, shader::translate_foreign(&shader.wgsl))?;
                Self::of_module(context, shader, &entries, &module)
            }
        }
    }

    fn of_module(
        context: &Context,
        shader: &Shader,
        entries: &[wgpu::BindGroupLayoutEntry],
        module: &wgpu::ShaderModule,
    ) -> Result<Self, DeviceError> {
        let device = &context.device;
        let bindings =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader.entry), entries });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(shader.entry),
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: shader.immediate_bytes(),
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&shader.label),
            layout: Some(&layout),
            module,
            entry_point: Some(shader.entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        context.check("compiling a kernel")?;
        Ok(Self { compute, bindings })
    }

    /// Binds `buffers`, in the order of the bindings.
    pub(super) fn bind(&self, context: &Context, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &self.bindings, entries: &entries };
        context.device.create_bind_group(&descriptor)
    }
}

fn layout_entry(number: u32, binding: Binding, min_bytes: Option<u64>) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding {
        Binding::Uniform => wgpu::BufferBindingType::Uniform,
        Binding::Input => wgpu::BufferBindingType::Storage { read_only: true },
        Binding::Output => wgpu::BufferBindingType::Storage { read_only: false },
    };
    let min_binding_size = min_bytes.and_then(NonZeroU64::new);
    wgpu::BindGroupLayoutEntry {
        binding: number,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size },
        count: None,
    }
}

/// The module as wgpu translates and checks it; the driver may contract.
fn checked_module(context: &Context, shader: &Shader) -> wgpu::ShaderModule {
    context.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(shader.label.as_str()),
        source: wgpu::ShaderSource::Wgsl(shader.wgsl.as_str().into()),
    })
}

/// The module of `translated`, the SPIR-V of `shader`, with contraction forbidden.
fn exact_module(
    context: &Context,
    shader: &Shader,
    translated: Result<Vec<u32>, String>,
) -> Result<wgpu::ShaderModule, DeviceError> {
    let spirv = translated
        .and_then(|words| no_contraction::forbid(&words))
        .map_err(|cause| context.error("translating a kernel to SPIR-V", cause))?;
    let entry_point = wgpu::PassthroughShaderEntryPoint {
        name: shader.entry.into(),
        // Vulkan reads the size from the SPIR-V.
        workgroup_size: (0, 0, 0),
    };
    let descriptor = wgpu::ShaderModuleDescriptorPassthrough {
        label: Some(shader.label.as_str()),
        entry_points: vec![entry_point].into(),
        spirv: Some(spirv.into()),
        ..wgpu::ShaderModuleDescriptorPassthrough::default()
    };
    // SAFETY: the SPIR-V is naga's translation of a WGSL text that naga validated, with every index clamped to its buffer;
    // decorations of arithmetic were added, nothing else. The pipeline's layout is explicit. In a text of this crate, loops
    // end by counters of their own, and the layout lists the bindings that the text declares. In any other, loops are bounded
    // by the translation, and wgpu has accepted the text for this device and this layout before.
    Ok(unsafe { context.device.create_shader_module_passthrough(descriptor) })
}

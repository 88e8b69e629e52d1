//! Kernels of a caller's own: WGSL and slices of numbers in, numbers out, in one dispatch.
//!
//! Twice as careful as with the kernels of this crate, since nothing is known of the text: wgpu checks it against the device
//! first, and its loops are bounded. Contraction is forbidden where that is possible, so that + - * give the bits they give
//! on a CPU wherever [`Identity::inexact`](crate::device::Identity::inexact) is `None`. Knows nothing of what is computed.

use bytemuck::{NoUninit, Pod};
use naga::{AddressSpace, StorageAccess};

use super::{
    GpuDevice,
    context::Context,
    launch::{Dispatch, Grid, MAX_WORKGROUPS},
    pipeline::{Binding, Pipeline},
    shader::{self, Shader},
};
use crate::{device::DeviceError, error::Error};

/// A kernel of a caller's own, which [`GpuDevice::compile`] has compiled for one GPU. [`GpuDevice::run`] of that GPU runs it.
#[derive(Debug)]
pub struct CustomKernel {
    pipeline: Pipeline,
    inputs: usize,
}

impl GpuDevice {
    /// Compiles a kernel: the entry point that `shader` names. It has storage buffers in group 0, numbered from 0: those that
    /// it reads, and last the one that it writes.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where the text is not valid, has other bindings, or asks for more than the device has. What the device
    /// itself refuses leaves it unusable.
    pub fn compile(&self, shader: &Shader) -> Result<CustomKernel, Error> {
        let refuse = |cause| self.context.error("compiling a kernel", format!("{}: {cause}", shader.label));
        let bindings = bindings(&shader.wgsl).map_err(refuse)?;
        let pipeline = Pipeline::build_foreign(&self.context, shader, &bindings, self.contraction)?;
        Ok(CustomKernel { pipeline, inputs: bindings.len() - 1 })
    }

    /// Runs `workgroups` workgroups, at most 65535, and waits for their end. `inputs` are the elements of the buffers that the kernel
    /// reads, in the order of their bindings; those of one run have one type. Returns the first `outputs` elements, at least 1, of the
    /// buffer that it writes; elements that no invocation writes have any value. The time of a run, best less than a tenth of a second,
    /// is up to the caller.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where the inputs are not as many or not as large as the kernel reads, one has no element, or the device
    /// fails; it is unusable then.
    pub fn run<In: NoUninit, Out: Pod>(
        &mut self,
        kernel: &CustomKernel,
        inputs: &[&[In]],
        workgroups: u32,
        outputs: usize,
    ) -> Result<Vec<Out>, Error> {
        let Self { context, slots, .. } = self;
        if inputs.len() != kernel.inputs || workgroups > MAX_WORKGROUPS {
            let asked = format!("{} inputs and {workgroups} workgroups", inputs.len());
            let limits = format!("it reads {} inputs and runs in at most {MAX_WORKGROUPS} workgroups", kernel.inputs);
            return Err(context.error("running a kernel", format!("{asked} were given; {limits}")).into());
        }
        let out_bytes = (outputs * size_of::<Out>()).next_multiple_of(size_of::<u32>()) as u64;
        slots.reserve(context, out_bytes)?;
        let slot = slots.get(0);
        let inputs = inputs.iter().map(|input| upload(context, input)).collect::<Result<Vec<_>, _>>()?;
        let buffers: Vec<&wgpu::Buffer> = inputs.iter().chain([&slot.out]).collect();
        let bind_group = kernel.pipeline.bind(context, &buffers);
        context.check("binding a kernel's inputs")?;
        let dispatch = Dispatch {
            pipeline: &kernel.pipeline.compute,
            bind_group: &bind_group,
            params: Vec::new(),
            is_timed: false,
            grid: Grid { width: workgroups, height: 1 },
            out_bytes,
        };
        let launched = slot.launch(context, &dispatch);
        context.check("starting a dispatch")?;
        let mut out = vec![Out::zeroed(); outputs];
        let (_, bytes) = slot.finish(context, launched)?;
        let wanted: &mut [u8] = bytemuck::cast_slice_mut(&mut out);
        wanted.copy_from_slice(&bytes[..wanted.len()]);
        Ok(out)
    }
}

/// A buffer that holds `input`.
fn upload<T: NoUninit>(context: &Context, input: &[T]) -> Result<wgpu::Buffer, DeviceError> {
    use wgpu::BufferUsages as Usage;
    let mut bytes = bytemuck::cast_slice(input).to_vec();
    bytes.resize(bytes.len().next_multiple_of(size_of::<u32>()), 0);
    let buffer = context.buffer("an input", bytes.len() as u64, Usage::STORAGE | Usage::COPY_DST)?;
    context.queue.write_buffer(&buffer, 0, &bytes);
    Ok(buffer)
}

/// What the text binds, in the order of the numbers, each with the bytes that it takes at least.
fn bindings(wgsl: &str) -> Result<Vec<(Binding, u64)>, String> {
    let (module, _) = shader::validate(wgsl)?;
    let mut found = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(place) = &variable.binding else { continue };
        let kind = match variable.space {
            AddressSpace::Storage { access } if !access.contains(StorageAccess::STORE) => Binding::Input,
            AddressSpace::Storage { .. } => Binding::Output,
            _ => Binding::Uniform,
        };
        let min_bytes = module.types[variable.ty].inner.size(module.to_ctx());
        found.push(((place.group, place.binding), kind, u64::from(min_bytes)));
    }
    found.sort_by_key(|(place, ..)| *place);
    let is_numbered = (0..).zip(&found).all(|(number, (place, ..))| *place == (0, number));
    let is_input = |(_, kind, _): &(_, Binding, u64)| *kind == Binding::Input;
    match found.split_last() {
        Some(((_, Binding::Output, _), inputs)) if is_numbered && inputs.iter().all(is_input) => {
            Ok(found.into_iter().map(|(_, kind, min_bytes)| (kind, min_bytes)).collect())
        }
        _ => Err("its bindings are not storage buffers of group 0, numbered from 0, of which it writes the last alone"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu::Which;

    const SUMS: &str = "
        @group(0) @binding(0) var<storage, read> a: array<f32>;
        @group(0) @binding(1) var<storage, read> b: array<f32, 3>;
        @group(0) @binding(2) var<storage, read_write> out: array<f32>;
        @compute @workgroup_size(2)
        fn sums(@builtin(global_invocation_id) id: vec3<u32>) { out[id.x] = a[id.x] + b[id.x]; }";

    fn software_gpu() -> GpuDevice {
        GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"))
    }

    fn sums(wgsl: &str) -> Shader {
        Shader { entry: "sums", label: "sums".to_owned(), wgsl: wgsl.to_owned() }
    }

    #[test]
    fn a_kernel_of_ones_own_reads_its_inputs_and_returns_its_output() {
        let mut gpu = software_gpu();
        let kernel = gpu.compile(&sums(SUMS)).unwrap();
        let (a, b) = ([1.0_f32, 2.0, 3.0], [0.5_f32, 0.25, 0.125]);
        assert_eq!(gpu.run::<_, f32>(&kernel, &[&a, &b], 2, 3).unwrap(), [1.5, 2.25, 3.125]);
        let swapped = gpu.run::<_, f32>(&kernel, &[&b, &[1.0, 1.0, 1.0]], 2, 3).unwrap();
        assert_eq!(swapped, [1.5, 1.25, 1.125]);
    }

    #[test]
    fn loops_are_bounded() {
        let spirv = |translate: fn(&str) -> Result<Vec<u32>, String>| {
            let endless = SUMS.replace("out[id.x] =", "loop { if a[0] > 0.0 { break; } } out[id.x] =");
            translate(&endless).unwrap().len()
        };
        assert!(spirv(shader::translate_foreign) > spirv(shader::translate), "a bound takes words of its own");
    }

    #[test]
    fn inputs_that_the_kernel_does_not_read_are_refused() {
        let a = [1.0_f32, 2.0, 3.0];
        let refused = |inputs: &[&[f32]], workgroups| {
            let mut gpu = software_gpu();
            let kernel = gpu.compile(&sums(SUMS)).unwrap();
            gpu.run::<_, f32>(&kernel, inputs, workgroups, 3).unwrap_err().to_string()
        };
        assert!(refused(&[&a], 2).contains("1 inputs and 2 workgroups were given; it reads 2 inputs"));
        assert!(refused(&[&a, &a], 65_536).contains("at most 65535 workgroups"));
        let short = refused(&[&a, &a[..2]], 2);
        assert!(short.contains("binding a kernel's inputs"), "{short}");
    }

    #[test]
    fn a_text_that_is_no_kernel_is_refused_with_the_reason() {
        let cases = [
            (SUMS.replace("id.x] +", "id.x] plus"), "wgsl:"),
            (SUMS.replace("binding(1)", "binding(3)"), "numbered from 0"),
            (SUMS.replace("group(0) @binding(0)", "group(1) @binding(0)"), "group 0"),
            (SUMS.replace("<storage, read>", "<storage, read_write>"), "the last alone"),
            (SUMS.replace("<storage, read> b: array<f32, 3>", "<uniform> b: vec4<f32>"), "storage buffers"),
            (SUMS.replace("fn sums", "fn other"), "sums"),
            (SUMS.replace("size(2)", "size(100000)"), "sums"),
        ];
        for (wgsl, reason) in cases {
            let error = software_gpu().compile(&sums(&wgsl)).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("compiling a kernel"), "{error}\nlacks {reason}");
        }
    }
}
